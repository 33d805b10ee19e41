"""Gurobi: every construct, on a licence that may limit the size."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np

from advmip.mip.deadline import checkpoint, seconds_left
from advmip.mip.model import Model, Size
from advmip.mip.solvers.interface import (
    Options,
    Solution,
    Trace,
    UnsupportedModelError,
    conclude,
    heuristics_redundant,
    within_limit,
)

# What the licence that comes with the package admits.
_FREE_COLUMNS = 2000
_FREE_ROWS = 2000
_FREE_QUADRATIC_COLUMNS = 200


def refusal(size: Size) -> str | None:
    """Why the licence at hand does not admit a model of this size; None if it does."""
    try:
        limited = _limited()
    except ImportError:
        return "gurobipy is not installed"
    if limited is None:
        return "no licence for Gurobi is valid here"
    if size.separators and not size.integers:
        return "Gurobi adds rows during the search of programs with integers only"
    if not limited:
        return None
    # A cone is a quadratic constraint, which makes all columns count as quadratic.
    quadratic = size.quadratic or size.cones
    allowed = _FREE_QUADRATIC_COLUMNS if quadratic else _FREE_COLUMNS
    constraints = size.rows + size.indicators + size.sos2 + size.cones
    if size.columns > allowed or constraints > _FREE_ROWS:
        kind = "quadratic terms" if quadratic else "linear terms only"
        return (
            f"the free licence admits {allowed} columns and {_FREE_ROWS} rows with {kind}; "
            f"the model has {size.columns} and {constraints}"
        )
    return None


@cache
def _limited() -> bool | None:
    """Whether the licence limits the size of models; None without any licence."""
    import gurobipy

    try:
        with _environment() as environment, gurobipy.Model(env=environment) as model:
            model.addMVar(_FREE_COLUMNS + 1)
            model.optimize()
    except gurobipy.GurobiError as error:
        return True if error.errno == gurobipy.GRB.Error.SIZE_LIMIT_EXCEEDED else None
    return False


def _environment() -> Any:
    import gurobipy

    environment = gurobipy.Env(empty=True)
    environment.setParam("OutputFlag", 0)
    environment.start()
    return environment


@within_limit
def solve(model: Model, options: Options) -> Solution:
    """Solve a model.

    Raises:
        UnsupportedModelError: The licence at hand does not admit the model.
    """
    import gurobipy
    from gurobipy import GRB

    reason = refusal(model.size)
    if reason is not None:
        raise UnsupportedModelError(f"Gurobi: {reason}")
    begun = time.perf_counter()
    trace = Trace()

    def watch(inner: Any, where: int) -> None:
        if where == GRB.Callback.MIP:
            value = inner.cbGet(GRB.Callback.MIP_OBJBST)
            bound = inner.cbGet(GRB.Callback.MIP_OBJBND)
            found = value if value < GRB.INFINITY else np.inf
            trace.add(inner.cbGet(GRB.Callback.RUNTIME), found, bound)
        elif model.separators and where == GRB.Callback.MIPSOL:
            _separate(inner, model, columns, inner.cbGetSolution(columns))
        elif (
            model.separators
            and where == GRB.Callback.MIPNODE
            and inner.cbGet(GRB.Callback.MIPNODE_STATUS) == GRB.OPTIMAL
        ):
            _separate(inner, model, columns, inner.cbGetNodeRel(columns))

    with _environment() as environment, gurobipy.Model(env=environment) as inner:
        columns = _fill(inner, model, options)
        checkpoint()
        inner.setParam("TimeLimit", seconds_left())
        inner.optimize(watch)
        point = np.array(inner.getAttr("X")) if inner.SolCount else None
        value = float(inner.ObjVal) if inner.SolCount else np.inf
        ended = (GRB.OPTIMAL, GRB.INFEASIBLE, GRB.INF_OR_UNBD, GRB.CUTOFF)
        return conclude(
            options,
            proved=inner.Status in ended,
            point=point,
            value=value,
            bound=_bound(inner),
            nodes=int(inner.NodeCount),
            begun=begun,
            trace=trace,
        )


def _bound(inner: Any) -> float:
    """The dual bound; a program without integers that was cut short has none."""
    try:
        return float(inner.ObjBound)
    except AttributeError:
        return -np.inf


def _separate(inner: Any, model: Model, columns: list[Any], point: list[float]) -> None:
    """Add the rows that a point violates."""
    import gurobipy

    for separator in model.separators:
        cuts = separator(np.array(point))
        matrix = cuts.matrix
        for first, last, upper in zip(matrix.indptr, matrix.indptr[1:], cuts.upper, strict=False):
            named = [columns[column] for column in matrix.indices[first:last]]
            row = gurobipy.LinExpr(matrix.data[first:last].tolist(), named)
            inner.cbLazy(row <= float(upper))


def _fill(inner: Any, model: Model, options: Options) -> list[Any]:
    """Set options, columns, rows and everything else; the columns come back."""
    from gurobipy import GRB

    for name, value in {
        "Threads": options.threads,
        "MIPGap": options.gap,
        "Seed": options.seed,
        "IntFeasTol": options.integrality,
        "FeasibilityTol": options.feasibility,
        "OptimalityTol": options.feasibility,
        "LazyConstraints": int(bool(model.separators)),
        "BestObjStop": options.decided[0],
        "BestBdStop": options.decided[1],
        **({"Cutoff": options.cutoff} if np.isfinite(options.cutoff) else {}),
        **({"Heuristics": 0.0} if heuristics_redundant(model, options) else {}),
    }.items():
        inner.setParam(name, value)
    kinds = np.where(model.integer, GRB.INTEGER, GRB.CONTINUOUS)
    columns = inner.addMVar(
        len(model.lower), lb=model.lower, ub=model.upper, obj=model.objective, vtype=kinds
    )
    inner.ObjCon = model.constant
    if model.squares.any():
        squared = np.flatnonzero(model.squares)
        quadratic = columns[squared] @ np.diag(model.squares[squared]) @ columns[squared]
        inner.setObjective(model.objective @ columns + quadratic + model.constant)
    _add_rows(inner, columns, model)
    for indicator in model.indicators:
        row = indicator.row @ columns[indicator.columns]
        inner.addConstr(
            (columns[indicator.binary].item() == int(indicator.active)) >> (row <= indicator.upper)
        )
    listed = columns.tolist()
    for ordered in model.sos2:
        inner.addSOS(GRB.SOS_TYPE2, [listed[column] for column in ordered])
    for cone in model.cones:
        parts = columns[cone.columns]
        bound = listed[cone.bound]
        inner.addConstr(parts @ parts <= bound * bound)
    return list(listed)


def _add_rows(inner: Any, columns: Any, model: Model) -> None:
    equal = model.row_lower == model.row_upper
    for sense, side, kept in (
        ("=", model.row_lower, equal),
        ("<", model.row_upper, ~equal & np.isfinite(model.row_upper)),
        (">", model.row_lower, ~equal & np.isfinite(model.row_lower)),
    ):
        if kept.any():
            inner.addMConstr(model.matrix[kept], columns, sense, side[kept])
