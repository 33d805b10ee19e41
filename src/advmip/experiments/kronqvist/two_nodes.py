"""The lecture's network of two nodes: bounds, optimum, and how loose its relaxation is."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import nn

from advmip.experiments.activations import activation_columns
from advmip.experiments.kronqvist.catalogue import CODE
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row, write_rows
from advmip.mip import maximise_activation, network_bounds
from advmip.mip.relaxed_outputs import relaxed_outputs
from advmip.networks import Architecture, Network, staged
from advmip.settings import Settings

# Where x_1 and x_2 may be.
LOWER, UPPER = np.array([-10.0, -5.0]), np.array([10.0, 5.0])
_BOUNDS = "interval"
# Points along x_1 and x_2. What enters the first node changes by 1 from one to the next along
# either, so that the output's kinks, at 0 and at 25, run through points.
_GRID = (101, 41)


def two_node_network() -> Network:
    """The lecture's network: y = max(5 x_1 - 4 x_2 + 3, 0), z = max(-2 y + 50, 0).

    Its "image" has two channels of one pixel each, in [0, 1]; the weights of the first node hold
    the map to x_1 in [-10, 10] and x_2 in [-5, 5]. Its only output is z.
    """
    weights, bias = np.array([5.0, -4.0]), 3.0
    first, second = nn.Linear(2, 1), nn.Linear(1, 1)
    with torch.no_grad():
        first.weight.copy_(torch.from_numpy(weights * (UPPER - LOWER)))
        first.bias.fill_(bias + float(weights @ LOWER))
        second.weight.fill_(-2.0)
        second.bias.fill_(50.0)
    body = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU())
    architecture = Architecture(
        name="two_nodes",
        paper_name="TwoNodes",
        dataset="lecture",
        input_shape=(2, 1, 1),
        mean=(0.0, 0.0),
        std=(1.0, 1.0),
        augmented=False,
        build=lambda: body,
    )
    return Network(architecture, body).frozen()


def two_nodes(settings: Settings, out: Path) -> None:
    """Bound the nodes, maximise what enters them, and bound the output of the relaxed model.

    Args:
        settings: All settings.
        out: The folder of neurons.csv and samples.csv.
    """
    network = two_node_network()
    common = {
        **network_columns("relaxation", network.architecture.paper_name, network),
        **origin_columns(settings, "kronqvist", CODE["relaxation"]),
    }
    write_rows("neurons", [common | row for row in _neurons(network)], out / "neurons.csv")
    write_rows("samples", [common | row for row in _samples(network)], out / "samples.csv")


def _neurons(network: Network) -> list[Row]:
    """The two nodes and the output, each with its bounds and the most that can enter it."""
    bounds = network_bounds(staged(network), _BOUNDS)
    found = [maximise_activation(network, layer, 0, bounds=bounds) for layer in (1, 2, 3)]
    return [
        activation_columns(layer, 0, _BOUNDS, interval, strongest)
        for layer, (interval, strongest) in enumerate(zip(bounds, found, strict=True), 1)
    ]


def _samples(network: Network) -> list[Row]:
    """The output over a grid of inputs, between its bounds in the relaxed model."""
    form = staged(network)
    sides = (np.linspace(0.0, 1.0, points) for points in _GRID)
    images = np.array(list(product(*sides)))
    relaxed = relaxed_outputs(form, images, network_bounds(form, _BOUNDS))
    return [
        {
            "x1": x1,
            "x2": x2,
            "value": float(form.logits(image)[0]),
            "lower": float(relaxed.lower[place, 0]),
            "upper": float(relaxed.upper[place, 0]),
        }
        for place, (image, (x1, x2)) in enumerate(
            zip(images, LOWER + (UPPER - LOWER) * images, strict=True)
        )
    ]
