"""What the paper shows before any attack: its networks, norms, relaxation, denoising and tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from advmip.errors import looked_up
from advmip.experiments.ben_mhenni.catalogue import CODE
from advmip.experiments.ben_mhenni.denoising import denoised
from advmip.experiments.ben_mhenni.tree import random_instance, search_tree
from advmip.experiments.data import load_split
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row, write_rows
from advmip.mip.distances import Box, TotalVariation
from advmip.mip.encoding import Interval
from advmip.mip.relaxed_outputs import relaxed_outputs
from advmip.networks import ARCHITECTURES, Architecture, Network, staged
from advmip.pictures import picture_columns
from advmip.settings import Settings

# Figure 1's powers, and points between -1 and 1.
_POWERS = (0.0, 0.5, 1.0, 2.0)
_POINTS = 201
# Figure 3: what enters the neuron lies between -M and M.
_M = 1.0
_PREFIXES = ("cifar_", "mnist_")
# The network whose first test image is made noisy in Figure 2.
_DENOISED = "MNIST-3x50"


def illustrations(settings: Settings, out: Path) -> None:
    """Write the rows of Table 1 and of Figures 1 to 4.

    Args:
        settings: All settings.
        out: The folder of networks.csv, samples.csv, pictures.csv and nodes.csv.

    Raises:
        InputError: The data set is missing.
        CheckError: The denoised image or the tree's optimum is not the best one.
    """
    common = origin_columns(settings, "benmhenni", CODE["illustrations"])
    for kind, rows in {
        "networks": _networks(),
        "samples": [*_penalties(), *_relaxed_neuron()],
        "pictures": _denoising(settings),
        "nodes": _nodes(),
    }.items():
        write_rows(kind, [common | row for row in rows], out / f"{kind}.csv")


def _networks() -> list[Row]:
    """The networks of Table 1: they need no weights to be counted."""
    return [
        {
            **network_columns("networks", architecture.paper_name),
            "network": architecture.name,
            "dataset": architecture.dataset,
            **_counted(architecture),
        }
        for name, architecture in ARCHITECTURES.items()
        if name.startswith(_PREFIXES)
    ]


def _counted(architecture: Architecture) -> Row:
    """Layers, parameters and units; ReLUs layer by layer."""
    body = architecture.build()
    values = torch.zeros(1, *architecture.input_shape)
    outputs, neurons = [], []
    with torch.no_grad():
        for layer in body.layers.children():  # type: ignore[union-attr]
            values = layer(values)
            if isinstance(layer, nn.Conv2d | nn.Linear | nn.MaxPool2d):
                outputs.append(values.numel())
            elif isinstance(layer, nn.ReLU):
                neurons.append(values.numel())
    return {
        "hidden_layers": " ".join(map(str, neurons)),
        "parameters": sum(tensor.numel() for tensor in body.parameters()),
        "units": sum(outputs),
        "layers": len(outputs),
    }


def _penalties() -> list[Row]:
    """|x|^p, which for p = 0 is 1 wherever x is not 0."""
    points = np.linspace(-1.0, 1.0, _POINTS)
    rows: list[Row] = []
    for power in _POWERS:
        values = (points != 0).astype(float) if power == 0 else np.abs(points) ** power
        rows += [
            {**network_columns("penalties", f"l{power:g}"), "x1": x, "value": value}
            for x, value in zip(points.tolist(), values.tolist(), strict=True)
        ]
    return rows


def _relaxed_neuron() -> list[Row]:
    """A ReLU between what the linear relaxation of its model allows at least and at most."""
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        # From a pixel in [0, 1] to h in [-M, M], and the neuron's output as it is.
        first.weight.fill_(2 * _M)
        first.bias.fill_(-_M)
        second.weight.fill_(1.0)
        second.bias.fill_(0.0)
    body = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
    architecture = Architecture(
        name="one_neuron",
        paper_name="one neuron",
        dataset="drawn",
        input_shape=(1, 1, 1),
        mean=(0.0,),
        std=(1.0,),
        augmented=False,
        build=lambda: body,
    )
    form = staged(Network(architecture, body).frozen())
    pixels = np.linspace(0.0, 1.0, _POINTS)[:, None]
    reach = Interval(np.array([-_M]), np.array([_M]))
    relaxed = relaxed_outputs(form, pixels, [reach, Interval(np.zeros(1), np.array([_M]))])
    return [
        {
            **network_columns("relaxed_neuron", architecture.paper_name),
            "x1": 2 * _M * float(pixel[0]) - _M,
            "value": float(form.logits(pixel)[0]),
            "lower": float(relaxed.lower[place, 0]),
            "upper": float(relaxed.upper[place, 0]),
        }
        for place, pixel in enumerate(pixels)
    ]


def _denoising(settings: Settings) -> list[Row]:
    """An image, the image with noise, and what is left of it by either total variation."""
    chosen = settings["benmhenni"]["denoising"]
    network = looked_up("network", _DENOISED, settings["benmhenni"]["networks"])
    dataset = load_split(settings, network["dataset"], "test")
    image = dataset.images[0, 0].astype(np.float64)
    random = np.random.default_rng(settings["seed"])
    noisy = np.clip(image + chosen["noise"] * random.normal(size=image.shape), 0.0, 1.0)
    shown = {"original": image, "noisy": noisy} | {
        f"{name} variation": np.clip(
            denoised(noisy, chosen["weight"], isotropic=name == "isotropic"), 0.0, 1.0
        )
        for name in ("anisotropic", "isotropic")
    }
    measure = TotalVariation()
    box = Box.around(np.zeros(image.size), (1, *image.shape))
    return [
        {
            **network_columns("denoising", _DENOISED, dataset=dataset),
            "shown": name,
            "image": 0,
            "label": int(dataset.labels[0]),
            **picture_columns(each[None]),
            "variation": measure.value(each.ravel(), box),
            "status": "ok",
            "checked": True,
        }
        for name, each in shown.items()
    ]


def _nodes() -> list[Row]:
    """The tree of Algorithm 1 on a network that was drawn for it."""
    instance = random_instance()
    network = instance.network
    about = network_columns("tree", network.architecture.paper_name, network)
    return [
        {
            **about,
            "number": node.number,
            "parent": node.parent,
            "neuron": node.neuron,
            "active": node.active,
            "value": node.value,
            "outcome": node.outcome,
            "status": "ok",
            "checked": True,
        }
        for node in search_tree(instance)
    ]
