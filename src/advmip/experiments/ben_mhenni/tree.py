"""Algorithm 1 as it is printed, on a network small enough to draw its whole tree (Figure 4).

With one hidden layer, W and b before it and V and c behind it, a node's relaxation is

    min ||d||_1   s.t.   h = W (x + d) + b,   s = V h^ + c,   s_i + margin <= s_y,
                         h^ >= h,   h^ >= 0,   h^ <= u (h - l) / (u - l)   where a neuron is open,
                         h^ = h >= 0  or  h^ = 0 >= h                      where it is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import nn

from advmip.errors import CheckError
from advmip.mip import minimal_attack
from advmip.networks import Architecture, Network

Vector = NDArray[np.float64]

_PIXELS, _NEURONS, _CLASSES = 4, 6, 3
# The weights and the image are drawn from it; chosen for a tree that shows every kind of node.
_SEED = 14
MARGIN = 1e-6
# A relaxed neuron this near to max(h, 0) is exact.
_EXACT = 1e-8


@dataclass(frozen=True)
class Instance:
    """An attack on a network of one hidden layer.

    Attributes:
        network: The network, on images of one row of pixels.
        image: (pixels,) in [0, 1].
        label: The class that the network gives it.
        target: The class to be reached.
    """

    network: Network
    image: Vector
    label: int
    target: int


@dataclass(frozen=True)
class Evaluated:
    """A node of the tree, in the order in which nodes are evaluated.

    Attributes:
        number: From 0, the root.
        parent: The number of its parent; None for the root.
        neuron: The neuron that it decides, from 0; None for the root.
        active: Whether that is held active; None for the root.
        value: The lower bound; inf if it has no point.
        outcome: "branched", "solution" (a better one than before), "pruned" or "infeasible".
    """

    number: int
    parent: int | None
    neuron: int | None
    active: bool | None
    value: float
    outcome: str


def random_instance(seed: int = _SEED) -> Instance:
    """A network with weights from a seed, and an attack towards the likeliest other class."""
    random = np.random.default_rng(seed)
    first, second = nn.Linear(_PIXELS, _NEURONS), nn.Linear(_NEURONS, _CLASSES)
    with torch.no_grad():
        for tensor in (first.weight, first.bias, second.weight, second.bias):
            tensor.copy_(torch.from_numpy(random.normal(size=tensor.shape)))
    body = nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)
    architecture = Architecture(
        name="drawn",
        paper_name="drawn",
        dataset="drawn",
        input_shape=(1, 1, _PIXELS),
        mean=(0.0,),
        std=(1.0,),
        augmented=False,
        build=lambda: body,
    )
    network = Network(architecture, body).frozen()
    image = random.random(_PIXELS).astype(np.float32).astype(np.float64)
    with torch.no_grad():
        logits = network.double()(torch.from_numpy(image.reshape(1, 1, 1, -1))).numpy()[0]
    network.float()
    target, label = np.argsort(logits)[-2:]
    return Instance(network, image, int(label), int(target))


def search_tree(instance: Instance) -> list[Evaluated]:
    """Every node that Algorithm 1 evaluates: depth first, largest h^ first, active side first.

    Raises:
        CheckError: Its optimum is not that of `minimal_attack`.
    """
    relaxation = _Relaxation(instance)
    nodes: list[Evaluated] = []
    best = np.inf
    open_nodes: list[tuple[int | None, int | None, dict[int, bool]]] = [(None, None, {})]
    while open_nodes:
        parent, neuron, decided = open_nodes.pop()
        value, outputs, exact = relaxation.solve(decided)
        undecided = [place for place in range(_NEURONS) if place not in decided]
        number = len(nodes)
        if np.isinf(value):
            outcome = "infeasible"
        elif value >= best:
            outcome = "pruned"
        elif exact:
            outcome, best = "solution", value
        else:
            outcome = "branched"
            chosen = max(undecided, key=lambda place: float(outputs[place]))
            # The last one pushed is the first one done.
            for side in (False, True):
                open_nodes.append((number, chosen, decided | {chosen: side}))
        active = None if neuron is None else decided[neuron]
        nodes.append(Evaluated(number, parent, neuron, active, value, outcome))
    _check(instance, best)
    return nodes


class _Relaxation:
    """The linear program of a node, in the columns p, n (d = p - n) and h^."""

    def __init__(self, instance: Instance) -> None:
        first, second = (
            layer for layer in instance.network.body.children() if isinstance(layer, nn.Linear)
        )
        weights, outwards = (
            layer.weight.detach().numpy().astype(np.float64) for layer in (first, second)
        )
        bias, offset = (layer.bias.detach().numpy().astype(np.float64) for layer in (first, second))
        image = instance.image
        # What enters the neurons, as rows over the columns, and without a change.
        self._entering = np.hstack([weights, -weights, np.zeros((_NEURONS, _NEURONS))])
        self._still = weights @ image + bias
        self._leaving = np.hstack([np.zeros((_NEURONS, 2 * _PIXELS)), np.eye(_NEURONS)])
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        # The image may be anything in [0, 1].
        self._lower = negative.sum(axis=1) + bias
        self._upper = positive.sum(axis=1) + bias
        others = [each for each in range(_CLASSES) if each != instance.target]
        differences = outwards[others] - outwards[instance.target]
        self._goal = differences @ self._leaving
        self._slack = offset[instance.target] - offset[others] - MARGIN
        self._cost = np.concatenate([np.ones(2 * _PIXELS), np.zeros(_NEURONS)])
        reach = np.concatenate([1.0 - image, image])
        self._ranges = [(0.0, top) for top in reach] + [(0.0, None)] * _NEURONS

    def solve(self, decided: Mapping[int, bool]) -> tuple[float, Vector, bool]:
        """The bound of a node (inf without a point), h^, and whether it is exact."""
        entering, leaving, still = self._entering, self._leaving, self._still
        rows, tops = [*self._goal, *(entering - leaving)], [*self._slack, *-still]
        for neuron in range(_NEURONS):
            if neuron not in decided:
                low, high = min(self._lower[neuron], 0.0), max(self._upper[neuron], 0.0)
                slope = high / (high - low) if high > low else 0.0
                rows.append(leaving[neuron] - slope * entering[neuron])
                tops.append(slope * (still[neuron] - low))
            elif decided[neuron]:
                rows.append(leaving[neuron] - entering[neuron])
                tops.append(still[neuron])
            else:
                rows += [leaving[neuron], entering[neuron]]
                tops += [0.0, -still[neuron]]
        found = linprog(self._cost, np.array(rows), np.array(tops), bounds=self._ranges)
        if found.x is None:
            return np.inf, np.zeros(_NEURONS), False
        outputs = leaving @ found.x
        exact = np.abs(outputs - np.maximum(entering @ found.x + still, 0.0)).max() <= _EXACT
        return float(self._cost @ found.x), outputs, bool(exact)


def _check(instance: Instance, optimum: float) -> None:
    attack = minimal_attack(
        instance.network,
        instance.image.reshape(1, 1, -1),
        instance.label,
        "l1",
        target=instance.target,
        margin=MARGIN,
        gap=0.0,
    )
    if not np.isclose(optimum, attack.distance, rtol=1e-5, atol=1e-6):
        raise CheckError(f"Algorithm 1 ends at {optimum:.9g}, the optimum is {attack.distance:.9g}")
