"""Repair of the last layer alone by a linear program: what cuts are compared with.

With the features h(x) that enter the last layer held fixed, its outputs are linear in its weights W
and biases b, and so is what is asked of points x of class y::

    min ||(D, e)||   s.t.  f_y(x) - f_j(x) >= delta   for all points x and all j != y,
                           f(x) = (W + D) h(x) + b + e

in the L1 norm or the L-infinity norm. Source: the repair of points of Sotoudeh & Thakur 2021
(PRDNN), of the last layer, where their network of two channels is the network itself. Nothing is
asked of the balls around the points.
"""

from __future__ import annotations

import copy
from typing import Literal, NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from advmip.certified_finetuning.balls import Images
from advmip.errors import CheckError, InputError
from advmip.margins import factor_of_points, other_classes
from advmip.mip.model import Expression, Matrix, ModelBuilder
from advmip.mip.solvers.choice import choose
from advmip.mip.solvers.interface import Options, Status
from advmip.networks import Network

# Delta where logits are of the usual scale, as cuts of certificates have it.
_MARGIN = 0.1


class LastLayerRepair(NamedTuple):
    """What the linear program leaves.

    Attributes:
        network: With the new last layer, or as it was where there is none.
        status: How the program ended: "infeasible" where no last layer does.
    """

    network: Network
    status: Status


def repair_last_layer(
    network: Network,
    images: Images,
    *,
    norm: Literal["l1", "linf"] = "l1",
    time_limit: float = 300.0,
    solver: str = "auto",
    threads: int = 1,
    seed: int = 0,
) -> LastLayerRepair:
    """Changes the last layer as little as possible until images are classified correctly.

    Args:
        network: The trained network; it is not changed.
        images: Images with their classes, of the network's input shape, in [0, 1].
        norm: Of the change of the last layer's weights and biases.
        time_limit: Seconds of the solver.
        solver: Of the linear program.
        threads: Of the solver.
        seed: Of the solver.

    Raises:
        InputError: The network does not end with a linear layer, or there is no such solver.
        CheckError: The network does not confirm what the program says.
    """
    exact = copy.deepcopy(network).cpu().double()
    points = torch.from_numpy(np.stack([image for image, _ in images]).astype(np.float64))
    labels = torch.tensor([label for _, label in images])
    features, outputs = _last_layer_at(exact, points)
    others = other_classes(labels, outputs.shape[1])
    builder = ModelBuilder()
    change = _columns(builder, outputs.shape[1] * features.shape[1], norm)
    leads = change.mapped(_leads(features, labels, others))
    now = (outputs.gather(1, labels[:, None]) - outputs.gather(1, others)).flatten().numpy()
    builder.add_rows(leads, lower=_MARGIN / factor_of_points(outputs, labels) - now)
    model = builder.build()
    options = Options(time_limit=time_limit, threads=threads, seed=seed)
    found = choose(solver, model).solver.solve(model, options)
    if found.point is None:
        return LastLayerRepair(network, found.status)
    wanted = change.values(found.point).reshape(outputs.shape[1], -1)
    repaired = copy.deepcopy(network).cpu()
    last = _last_layer(repaired)
    with torch.no_grad():
        last.weight.add_(torch.from_numpy(wanted[:, :-1]).to(last.weight.dtype))
        last.bias.add_(torch.from_numpy(wanted[:, -1]).to(last.bias.dtype))
    wrong = [number for number, each in enumerate(images) if repaired.answer(each[0]) != each[1]]
    if wrong:
        raise CheckError(f"last layer repaired at image {wrong[0]}, which the network has wrong")
    return LastLayerRepair(repaired, found.status)


def _columns(builder: ModelBuilder, count: int, norm: Literal["l1", "linf"]) -> Expression:
    """The changes of all weights, whose norm is the objective."""
    if norm == "l1":
        rise, fall = (builder.add_columns(count, objective=1.0) for _ in range(2))
        return Expression.of(rise) - Expression.of(fall)
    change = Expression.of(builder.add_columns(count, lower=-np.inf))
    most = Expression.of(builder.add_columns(1, objective=1.0)).repeated(count)
    builder.add_rows(most - change, lower=0.0)
    builder.add_rows(most + change, lower=0.0)
    return change


def _leads(features: Tensor, labels: Tensor, others: Tensor) -> Matrix:
    """What the changes of all weights, class by class, add to each lead of a class (rows, weights).

    Args:
        features: What enters the last layer, and a 1 for its bias (N, features + 1).
        labels: (N,).
        others: The classes that are led (N, classes - 1).
    """
    classes = np.eye(others.shape[1] + 1)
    parts = [
        sparse.kron(classes[label] - classes[led], feature[None], format="csr")
        for feature, label, led in zip(features.numpy(), labels, others, strict=True)
    ]
    return Matrix(sparse.vstack(parts))


def _last_layer(network: Network) -> nn.Linear:
    """The last linear layer.

    Raises:
        InputError: There is none with biases.
    """
    linear = [each for each in network.body.modules() if isinstance(each, nn.Linear)]
    if not linear or linear[-1].bias is None:
        raise _no_last_layer()
    return linear[-1]


@torch.no_grad()
def _last_layer_at(network: Network, points: Tensor) -> tuple[Tensor, Tensor]:
    """What enters the last layer at points, and a 1 (N, features + 1), and the logits (N, classes).

    Raises:
        InputError: The logits are not what leaves the last layer.
    """
    seen: list[tuple[Tensor, Tensor]] = []
    hook = _last_layer(network).register_forward_hook(
        lambda layer, inputs, outputs: seen.append((inputs[0], outputs))
    )
    logits = network(points)
    hook.remove()
    # The very tensor, not its values: a ReLU behind the layer changes none of outputs above 0.
    if len(seen) != 1 or seen[0][1] is not logits:
        raise _no_last_layer()
    features = seen[0][0]
    return torch.cat([features, torch.ones(len(points), 1, dtype=features.dtype)], 1), logits


def _no_last_layer() -> InputError:
    return InputError(
        subject="network whose last layer is to be repaired",
        found="logits that are no linear layer's outputs",
        expected="a network that ends with a linear layer and its biases",
        mend="repair all of its layers: robustify",
    )
