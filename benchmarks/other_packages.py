"""Exact attacks with other packages that write trained networks as mixed-integer programs.

Each is set up as its documentation shows for adversarial examples: pixels with bounds [0, 1], the
network added in the package's default formulation, a column for the absolute change of each pixel
(one for all of them with L-infinity) above x - image and image - x, and equation (15) on the
logits. The solver keeps its own settings but for time, gap and threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from attack_instances import RATIO, Instance, Limits
from numpy.typing import NDArray
from torch import nn

from advmip.datasets.dataset import CLASSES
from advmip.mip.solvers import Status
from advmip.networks import Network, staged

DISTANCES = ("l1", "linf")


@dataclass(frozen=True)
class Found:
    """What a package's solver came to.

    Attributes:
        status: How it ended.
        objective: The distance it claims; inf without a point.
        lower_bound: No attack is nearer than this, it says.
        point: The attacked image (pixels,), or None.
        columns: Columns of the model that it was given.
        seconds_solver: Seconds of the solver alone, without building the model.
    """

    status: Status
    objective: float
    lower_bound: float
    point: NDArray[np.float64] | None
    columns: int
    seconds_solver: float


class LicenceError(RuntimeError):
    """The solver's licence does not admit the model."""


@dataclass(frozen=True)
class Package:
    """A package beside which ours is timed.

    Attributes:
        module: What is imported.
        solver: The solver underneath, by our name for it.
        attack: Finds the nearest attack on a sequential network.
    """

    module: str
    solver: str
    attack: Callable[[nn.Sequential, Instance, str, Limits], Found]


def sequential(network: Network) -> nn.Sequential:
    """A network of linear layers as torch users write it, on the pixels (784,) of an image."""
    form = staged(network)
    layers: list[nn.Module] = []
    for depth, stage in enumerate((*form.hidden, form.output)):
        # Only what the layer before gives, or this is no sequential network.
        (weights,) = (stage.terms[layer].toarray() for layer in {*stage.terms, depth})
        linear = nn.Linear(weights.shape[1], weights.shape[0])
        linear.weight.data = torch.from_numpy(weights).float()
        linear.bias.data = torch.from_numpy(stage.bias).float()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).requires_grad_(False)


def with_gurobi_machinelearning(
    network: nn.Sequential, instance: Instance, distance: str, limits: Limits
) -> Found:
    """gurobi-machinelearning: ReLUs as Gurobi's own max constraints."""
    import gurobipy
    from gurobi_ml import add_predictor_constr
    from gurobipy import GRB

    image = instance.image.ravel()
    with gurobipy.Env(params={"OutputFlag": 0}) as quiet, gurobipy.Model(env=quiet) as model:
        pixels = model.addMVar(len(image), lb=0.0, ub=1.0)
        change = model.addMVar(len(image) if distance == "l1" else 1, lb=0.0, ub=1.0)
        logits = model.addMVar(CLASSES, lb=-GRB.INFINITY)
        model.addConstr(change >= pixels - image)
        model.addConstr(change >= image - pixels)
        add_predictor_constr(model, network, pixels, logits)
        target = logits[instance.target]
        model.addConstr(target >= 0)
        for other in instance.others:
            model.addConstr(target >= RATIO * logits[other])
        model.setObjective(change.sum())
        model.setParam("TimeLimit", limits.time_limit)
        model.setParam("MIPGap", limits.gap)
        model.setParam("Threads", limits.threads)
        begun = time.perf_counter()
        try:
            model.optimize()
        except gurobipy.GurobiError as error:
            if error.errno != GRB.Error.SIZE_LIMIT_EXCEEDED:
                raise
            size = f"{model.NumVars} columns, {model.NumConstrs} rows"
            raise LicenceError(f"{error} ({size}, {model.NumGenConstrs} max constraints)") from None
        found = model.SolCount > 0
        return Found(
            status=_status(model.Status == GRB.OPTIMAL, found),
            objective=model.ObjVal if found else np.inf,
            lower_bound=model.ObjBound,
            point=np.asarray(pixels.X) if found else None,
            columns=model.NumVars,
            seconds_solver=time.perf_counter() - begun,
        )


def with_pyscipopt_ml(
    network: nn.Sequential, instance: Instance, distance: str, limits: Limits
) -> Found:
    """PySCIPOpt-ML: ReLUs as special ordered sets, bounds by interval arithmetic."""
    from pyscipopt import Model, quicksum
    from pyscipopt_ml.add_predictor import add_predictor_constr

    image = instance.image.ravel()
    model = Model()
    model.hideOutput()
    pixels = np.array([model.addVar(lb=0.0, ub=1.0) for _ in image], dtype=object)
    count = len(image) if distance == "l1" else 1
    change = [model.addVar(lb=0.0, ub=1.0) for _ in range(count)]
    logits = [model.addVar(lb=None, ub=None) for _ in range(CLASSES)]
    for place, value in enumerate(image):
        size = change[place % count]
        model.addCons(size >= pixels[place] - float(value))
        model.addCons(size >= float(value) - pixels[place])
    add_predictor_constr(
        model, network, pixels, np.array(logits, dtype=object), unique_naming_prefix="network_"
    )
    target = logits[instance.target]
    model.addCons(target >= 0)
    for other in instance.others:
        model.addCons(target >= RATIO * logits[other])
    model.setObjective(quicksum(change))
    model.setParam("limits/time", limits.time_limit)
    model.setParam("limits/gap", limits.gap)
    model.setParam("parallel/maxnthreads", limits.threads)
    columns = model.getNVars()
    begun = time.perf_counter()
    model.optimize()
    found = model.getNSols() > 0
    return Found(
        status=_status(model.getStatus() in ("optimal", "gaplimit"), found),
        objective=model.getObjVal() if found else np.inf,
        lower_bound=model.getDualbound(),
        point=np.array([model.getVal(pixel) for pixel in pixels]) if found else None,
        columns=columns,
        seconds_solver=time.perf_counter() - begun,
    )


def with_omlt(network: nn.Sequential, instance: Instance, distance: str, limits: Limits) -> Found:
    """OMLT: big-M, bounds by interval arithmetic; Pyomo hands the model to HiGHS."""
    import pyomo.environ as pyo
    from omlt import OmltBlock
    from omlt.neuralnet import FullSpaceNNFormulation
    from pyomo.contrib.appsi.base import TerminationCondition
    from pyomo.contrib.appsi.solvers import Highs

    image = instance.image.ravel()
    places = range(len(image))
    model = pyo.ConcreteModel()
    model.network = OmltBlock()
    model.network.build_formulation(FullSpaceNNFormulation(_omlt_network(network)))
    pixels, logits = model.network.inputs, model.network.outputs
    count = len(image) if distance == "l1" else 1
    model.change = pyo.Var(range(count), bounds=(0, 1))
    model.above = pyo.Constraint(
        places, rule=lambda _, place: model.change[place % count] >= pixels[place] - image[place]
    )
    model.below = pyo.Constraint(
        places, rule=lambda _, place: model.change[place % count] >= image[place] - pixels[place]
    )
    target = logits[instance.target]
    model.positive = pyo.Constraint(expr=target >= 0)
    model.wins = pyo.Constraint(
        instance.others, rule=lambda _, other: target >= RATIO * logits[other]
    )
    model.distance = pyo.Objective(expr=pyo.quicksum(model.change.values()))
    solver = Highs()
    solver.config.load_solution = False
    solver.config.time_limit = limits.time_limit
    solver.config.mip_gap = limits.gap
    solver.highs_options = {"threads": limits.threads}
    begun = time.perf_counter()
    results = solver.solve(model)
    objective = results.best_feasible_objective
    found = objective is not None and np.isfinite(objective)
    if found:
        results.solution_loader.load_vars()
    return Found(
        status=_status(results.termination_condition == TerminationCondition.optimal, found),
        objective=objective if found else np.inf,
        lower_bound=results.best_objective_bound,
        point=np.array([pyo.value(pixels[place]) for place in places]) if found else None,
        columns=len(list(model.component_data_objects(pyo.Var))),
        seconds_solver=time.perf_counter() - begun,
    )


def _omlt_network(network: nn.Sequential) -> Any:
    from omlt.neuralnet import NetworkDefinition
    from omlt.neuralnet.layer import DenseLayer, InputLayer

    steps = list(network)
    pixels = cast(nn.Linear, steps[0]).in_features
    definition = NetworkDefinition(scaled_input_bounds=dict.fromkeys(range(pixels), (0.0, 1.0)))
    last = InputLayer([pixels])
    definition.add_layer(last)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, nn.Linear):
            layer = DenseLayer(
                [step.in_features],
                [step.out_features],
                activation="relu" if isinstance(following, nn.ReLU) else "linear",
                weights=step.weight.numpy().T,
                biases=step.bias.numpy(),
            )
            definition.add_layer(layer)
            definition.add_edge(last, layer)
            last = layer
    return definition


def _status(proved: bool, found: bool) -> Status:
    if found:
        return Status.OPTIMAL if proved else Status.FEASIBLE
    return Status.UNKNOWN


PACKAGES = {
    "gurobi-machinelearning": Package("gurobi_ml", "gurobi", with_gurobi_machinelearning),
    "PySCIPOpt-ML": Package("pyscipopt_ml", "scip", with_pyscipopt_ml),
    "OMLT": Package("omlt", "highs", with_omlt),
}
