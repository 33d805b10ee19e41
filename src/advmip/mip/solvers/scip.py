"""SCIP: open, no limit of size, every construct."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from advmip.mip.deadline import checkpoint, seconds_left
from advmip.mip.model import Model, Size, Vector
from advmip.mip.solvers.interface import (
    Options,
    Solution,
    Trace,
    conclude,
    heuristics_redundant,
    within_limit,
)

_PROVED = ("optimal", "infeasible", "inforunbd", "gaplimit")


def refusal(size: Size) -> str | None:
    """Why SCIP does not take a model of this size; None if it does."""
    try:
        import pyscipopt  # noqa: F401
    except ImportError:
        return "pyscipopt is not installed"
    if size.separators:
        return "rows added during the search are passed to Gurobi only"
    return None


@within_limit
def solve(model: Model, options: Options) -> Solution:
    """Solve a model. SCIP's own tree search uses one thread."""
    import pyscipopt

    begun = time.perf_counter()
    inner = pyscipopt.Model()
    columns = _fill(inner, model, options)
    trace = Trace()
    inner.includeEventhdlr(_watcher(inner, trace, begun), "trace", "primal and dual bounds")
    checkpoint()
    # SCIP takes 1e20 for no limit.
    inner.setParam("limits/time", min(seconds_left(), 1e20))
    # Threads that end this process with its run must not wait for SCIP.
    inner.optimizeNogil()
    ended = inner.getStatus()
    point = None
    value = np.inf
    if inner.getNSols():
        best = inner.getBestSol()
        point = np.array([inner.getSolVal(best, column) for column in columns])
        value = model.value(point)
    return conclude(
        options,
        proved=ended in _PROVED,
        point=point,
        value=value,
        bound=_finite(inner, inner.getDualbound()),
        nodes=int(inner.getNTotalNodes()),
        begun=begun,
        trace=trace,
    )


def _finite(inner: Any, value: float) -> float:
    return value if abs(value) < inner.infinity() else float(np.copysign(np.inf, value))


def _watcher(inner: Any, trace: Trace, begun: float) -> Any:
    """An event handler that notes each change of the bounds."""
    import pyscipopt
    from pyscipopt.scip import PY_SCIP_EVENTTYPE

    events = (PY_SCIP_EVENTTYPE.BESTSOLFOUND, PY_SCIP_EVENTTYPE.NODESOLVED)

    class Watcher(pyscipopt.Eventhdlr):
        def eventinit(self) -> None:
            for event in events:
                self.model.catchEvent(event, self)

        def eventexit(self) -> None:
            for event in events:
                self.model.dropEvent(event, self)

        def eventexec(self, event: Any) -> None:
            value, bound = self.model.getPrimalbound(), self.model.getDualbound()
            seconds = time.perf_counter() - begun
            trace.add(seconds, _finite(self.model, value), _finite(self.model, bound))

    return Watcher()


def _fill(inner: Any, model: Model, options: Options) -> list[Any]:
    """Set options, columns, rows and everything else; the columns come back."""
    import pyscipopt
    from pyscipopt.scip import PY_SCIP_PARAMSETTING

    inner.hideOutput()
    inner.setParams(
        {
            "limits/gap": options.gap,
            "parallel/maxnthreads": options.threads,
            "randomization/randomseedshift": options.seed,
            "numerics/feastol": options.feasibility,
        }
    )
    for name, value in zip(("limits/primal", "limits/dual"), options.decided, strict=True):
        if np.isfinite(value):
            inner.setParam(name, value)
    columns = []
    for lower, upper, cost, integer in zip(
        model.lower, model.upper, model.objective, model.integer, strict=True
    ):
        checkpoint()
        column = inner.addVar(
            lb=lower if np.isfinite(lower) else None,
            ub=upper if np.isfinite(upper) else None,
            obj=cost,
            vtype="I" if integer else "C",
        )
        columns.append(column)
    inner.addObjoffset(model.constant)
    squared = np.flatnonzero(model.squares)
    if squared.size:
        # SCIP's objective is linear: the squares go below a column of their own.
        total = inner.addVar(lb=0.0, ub=None, obj=1.0)
        squares = [float(model.squares[column]) * columns[column] ** 2 for column in squared]
        inner.addCons(pyscipopt.quicksum(squares) <= total)
    else:
        # Cutting planes cost more than they prune. L1 on Zhu's DNN3: 1.9 s without them, 11.6 s
        # with SCIP's fast setting, 10 s with its default (three images only); on DNN1 0.55 s and
        # 0.50 s (fast). Only L2 with 5 breakpoints on DNN4 gains: 58 s, and 40 s with either.
        inner.setSeparating(PY_SCIP_PARAMSETTING.OFF)
    _add_rows(inner, columns, model)
    for indicator in model.indicators:
        row = _sum(columns, indicator.columns, indicator.row)
        binary = columns[indicator.binary]
        inner.addConsIndicator(row <= indicator.upper, binary, activeone=indicator.active)
    for ordered in model.sos2:
        inner.addConsSOS2([columns[column] for column in ordered])
    for cone in model.cones:
        squares = [columns[column] ** 2 for column in cone.columns]
        inner.addCons(pyscipopt.quicksum(squares) <= columns[cone.bound] ** 2)
    if np.isfinite(options.cutoff):
        inner.setObjlimit(options.cutoff)
    if heuristics_redundant(model, options):
        inner.setHeuristics(PY_SCIP_PARAMSETTING.OFF)
    return columns


def _sum(columns: list[Any], chosen: Any, coefficients: Vector) -> Any:
    import pyscipopt

    checkpoint()
    terms = zip(chosen, coefficients, strict=True)
    return pyscipopt.quicksum(float(factor) * columns[column] for column, factor in terms)


def _add_rows(inner: Any, columns: list[Any], model: Model) -> None:
    matrix = model.matrix
    for row, (lower, upper) in enumerate(zip(model.row_lower, model.row_upper, strict=True)):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        activity = _sum(columns, matrix.indices[part], matrix.data[part])
        if lower == upper:
            inner.addCons(activity == upper)
            continue
        if np.isfinite(upper):
            inner.addCons(activity <= upper)
        if np.isfinite(lower):
            inner.addCons(activity >= lower)
