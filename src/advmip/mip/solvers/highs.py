"""HiGHS: open, no limit of size, linear rows and integers only."""

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

# Without cuts at the nodes: on 3x50 in L1, 57 seconds in place of 91. The root's heuristics would
# run whatever their effort.
_SEARCHED = {
    "mip_allow_cut_separation_at_nodes": False,
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
}


def refusal(size: Size) -> str | None:
    """Why HiGHS does not take a model of this size; None if it does."""
    try:
        import highspy  # noqa: F401
    except ImportError:
        return "highspy is not installed"
    for construct, count in (
        ("indicator constraints", size.indicators),
        ("special ordered sets", size.sos2),
        ("second-order cones", size.cones),
        ("rows added during the search", size.separators),
        ("squares beside integers", size.quadratic and size.integers),
    ):
        if count:
            return f"HiGHS has no {construct}"
    return None


@within_limit
def solve(model: Model, options: Options) -> Solution:
    """Solve a model.

    Raises:
        UnsupportedModelError: The model has a construct that HiGHS lacks.
        MemoryError: It needs more memory than there is.
    """
    from highspy import HighsModelStatus

    reason = refusal(model.size)
    if reason is not None:
        raise UnsupportedModelError(f"HiGHS: {reason}")
    begun = time.perf_counter()
    trace = Trace()
    inner = quiet_solver()
    for name, value in {
        "threads": options.threads,
        "mip_rel_gap": options.gap,
        "random_seed": options.seed,
        "mip_feasibility_tolerance": options.integrality,
        "primal_feasibility_tolerance": options.feasibility,
        "dual_feasibility_tolerance": options.feasibility,
        "objective_bound": options.cutoff,
        **(_SEARCHED if heuristics_redundant(model, options) else {}),
    }.items():
        inner.setOptionValue(name, value)
    inner.passModel(translated(model))
    checkpoint()
    if model.integer.any():
        inner.cbMipLogging += lambda event: trace.add(
            event.data_out.running_time,
            event.data_out.mip_primal_bound,
            event.data_out.mip_dual_bound,
        )
    inner.setOptionValue("time_limit", seconds_left())
    inner.run()
    ended, info = inner.getModelStatus(), inner.getInfo()
    if ended == HighsModelStatus.kMemoryLimit:
        # No answer, as a limit of time would be: with more memory there may be one.
        raise MemoryError("HiGHS needs more memory than there is")
    feasible = info.primal_solution_status == 2
    infeasible = ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kUnboundedOrInfeasible)
    proved = infeasible or ended == HighsModelStatus.kOptimal
    point = np.array(inner.getSolution().col_value) if feasible and not infeasible else None
    value = np.inf if point is None else model.value(point)
    continuous_bound = value if proved else -np.inf
    bound = float(info.mip_dual_bound) if model.integer.any() else continuous_bound
    return conclude(
        options,
        proved=proved,
        point=point,
        value=value,
        bound=bound,
        nodes=max(int(info.mip_node_count), 0),
        begun=begun,
        trace=trace,
    )


def quiet_solver() -> Any:
    """A solver that prints nothing."""
    inner = _quiet_class()()
    inner.setOptionValue("output_flag", False)
    return inner


@cache
def _quiet_class() -> type[Any]:
    """HiGHS without its banner.

    From version 1.16 on its constructor prints one when it sets up callbacks, the last thing it
    does.
    """
    import highspy

    class Quiet(highspy.Highs):
        def enableCallbacks(self) -> Any:  # noqa: N802
            self.setOptionValue("output_flag", False)
            return super().enableCallbacks()  # type: ignore[no-untyped-call]

    return Quiet


def translated(model: Model) -> Any:
    """A model's columns, rows and objective in HiGHS's own form."""
    import highspy

    columns, rows = len(model.lower), len(model.row_lower)
    linear = highspy.HighsLp()
    linear.num_col_, linear.num_row_ = columns, rows
    linear.col_lower_, linear.col_upper_ = model.lower, model.upper
    linear.col_cost_, linear.offset_ = model.objective, model.constant
    linear.row_lower_, linear.row_upper_ = model.row_lower, model.row_upper
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    linear.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    linear.a_matrix_.value_ = model.matrix.data
    if model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        linear.integrality_ = [kinds[int(integer)] for integer in model.integer]
    whole = highspy.HighsModel()
    whole.lp_ = linear
    if model.squares.any():
        squared = np.flatnonzero(model.squares)
        whole.hessian_.dim_ = columns
        whole.hessian_.format_ = highspy.HessianFormat.kTriangular
        starts = np.searchsorted(squared, np.arange(columns + 1))
        whole.hessian_.start_ = starts.astype(np.int32)
        whole.hessian_.index_ = squared.astype(np.int32)
        # HiGHS minimises c'x + x'Hx / 2.
        whole.hessian_.value_ = 2.0 * model.squares[squared]
    return whole
