"""The tree of our own beside general solvers: the same problems and bounds, seconds and nodes.

For each instance a search gives an attack and programs bound the neurons nearer than it,
once; then every solver, in turn and in one process, must find a nearer attack or prove that there
is none. General solvers get the big-M model with these bounds. Our tree's relaxation has secants
besides, and after a while, as in an exact attack, it starts again with distance cuts. What counts
is the solver's own time, by the clock and by the processor, that for distance cuts included.
"-with-rows" is a general solver that gets secants and distance cuts in the same way.

The target is the class five on, or with `--likeliest` the likeliest other class, as in the table of
Ben Mhenni et al. that the workflow makes.

Usage: python benchmarks/branch_and_bound.py 3x50.onnx --distance l1 --images 10
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from attack_instances import Instance, Limits, Row, add_options, answered, load_attacked_network

from advmip.memory import keep_freed_memory
from advmip.mip.attack_tree import STRATEGIES, tree_for
from advmip.mip.bounds import PropagatedBounds, patience, tightened_bounds, tightened_further
from advmip.mip.deadline import until
from advmip.mip.distances import Box, distance_named
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.mip.formulations import BigM
from advmip.mip.goals import targeted
from advmip.mip.heuristics.ball_attack import logits_of
from advmip.mip.heuristics.first_attack import first_attack
from advmip.mip.problem import Problem, encode
from advmip.mip.solvers import SOLVERS, Options, Solution, Status
from advmip.networks import Network, staged
from advmip.threads import use_threads

OURS = "branch-and-bound"
WITH_ROWS = "-with-rows"
_MARGIN = 1e-6


@dataclass(frozen=True)
class Prepared:
    """A problem within the ball of a first attack, and its bounds; none if nothing is nearer.

    Attributes:
        problem: The problem.
        bounds: Its bounds.
        patience: Seconds until a solver starts again with distance cuts.
    """

    problem: Problem
    bounds: list[Interval] | None
    patience: float


class Preparation:
    """Prepares an instance for the first solver, and remembers it for the others."""

    def __init__(self, network: Network, distance: str) -> None:
        self._network, self._distance = network, distance
        self._number = -1
        self._last: Prepared | None = None

    def __call__(self, instance: Instance) -> Prepared:
        """The instance, prepared."""
        if self._last is None or self._number != instance.number:
            self._number = instance.number
            self._last = prepared(instance, self._network, self._distance)
        return self._last


def prepared(instance: Instance, network: Network, distance: str) -> Prepared:
    """Search and bounds, as an exact attack does them at first."""
    form = staged(network)
    image = instance.image.ravel()
    goal = targeted(instance.target, form.classes, margin=_MARGIN)
    box = Box.around(image, form.input_shape)
    whole = Problem(form, image, distance_named(distance), goal, box)
    found = first_attack(whole, logits_of(network, 1.0))
    problem = whole.within(np.inf if found is None else found.value)
    begun = time.perf_counter()
    bounds = tightened_bounds(problem, PropagatedBounds(problem).intervals)
    return Prepared(problem, bounds, patience(problem, time.perf_counter() - begun))


def solved(problem: Problem, bounds: list[Interval], solver: str, options: Options) -> Solution:
    """A solver's solution."""
    if solver in STRATEGIES:
        return tree_for(problem, bounds, BigM(), solver).solve(options)
    return SOLVERS[solver].solve(encode(problem, bounds).model, options)


def solved_with_rows(
    problem: Problem, bounds: list[Interval], solver: str, options: Options, without: float
) -> Solution:
    """A solver's solution, with distance cuts after some seconds without."""
    begun = time.perf_counter()
    first = replace(options, time_limit=min(without, options.time_limit))
    solution = solved(problem, bounds, solver, first)
    left = options.time_limit - (time.perf_counter() - begun)
    if solution.status in (Status.OPTIMAL, Status.INFEASIBLE) or left <= 0:
        return solution
    with until(time.perf_counter() + left):
        found = tightened_further(problem, bounds)
    if found is None:
        return replace(solution, status=Status.INFEASIBLE, bound=options.cutoff)
    left = options.time_limit - (time.perf_counter() - begun)
    again = solved(*found, solver, replace(options, time_limit=left))
    bound, nodes = max(solution.bound, again.bound), solution.nodes + again.nodes
    return replace(again, bound=bound, nodes=nodes)


def answer(
    instance: Instance,
    limits: Limits,
    *,
    solver: str,
    prepare: Callable[[Instance], Prepared],
) -> Row:
    """What a solver makes of an instance."""
    given = prepare(instance)
    problem = given.problem
    known = {"radius": problem.radius, "distance": problem.distance.name}
    if given.bounds is None:
        return {**known, "status": "no problem left"}
    cutoff = problem.distance.cutoff(problem.radius, limits.gap)
    options = Options(limits.time_limit, limits.threads, limits.gap, cutoff)
    general = solver.removesuffix(WITH_ROWS)
    if solver in SOLVERS:
        # Without a radius there are no rows besides big-M's; box and bounds are those of the ball.
        problem = replace(problem, radius=np.inf)
    if general in SOLVERS:
        reason = SOLVERS[general].refusal(encode(problem, given.bounds).model.size)
        if reason is not None:
            return {**known, "status": "refused", "reason": reason}
    begun, processor = time.perf_counter(), time.process_time()
    if solver in SOLVERS:
        solution = solved(problem, given.bounds, solver, options)
    else:
        solution = solved_with_rows(problem, given.bounds, general, options, given.patience)
    return {
        **known,
        "status": solution.status.value,
        "objective": problem.distance.distance(solution.value),
        "lower_bound": problem.distance.distance(solution.bound),
        "seconds": time.perf_counter() - begun,
        "solver_processor_seconds": time.process_time() - processor,
        "nodes": solution.nodes,
        "unstable": unstable_neurons(given.bounds),
    }


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Geometric means for each solver over the instances that ours and it both settled."""
    settled = rows[rows["status"].isin(["optimal", "infeasible"])]
    ours = settled[settled["answer"] == OURS].set_index("image")
    table = {}
    for solver, theirs in settled.set_index("image").groupby("answer"):
        both = theirs.index.intersection(ours.index)
        theirs, beside = theirs.loc[both], ours.loc[both]
        nodes, our_nodes = theirs["nodes"].clip(lower=1), beside["nodes"].clip(lower=1)
        seconds, our_seconds = (
            theirs["solver_processor_seconds"],
            beside["solver_processor_seconds"],
        )
        table[solver] = {
            "settled": int((settled["answer"] == solver).sum()),
            "both": len(both),
            "processor_seconds": _geometric(seconds),
            "nodes": _geometric(nodes),
            "milliseconds_a_node": 1e3 * _geometric(seconds / nodes),
            "times_ours": _geometric(seconds / our_seconds),
            "times_ours_a_node": _geometric(seconds / nodes * our_nodes / our_seconds),
        }
    return pd.DataFrame(table).T


def _geometric(values: pd.Series) -> float:
    return float(np.exp(np.log(values.astype(float)).mean())) if len(values) else np.nan


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--distance", default="l1", help="l1, l2, linf, tv, l1+tv or l2-K")
    parser.add_argument("--likeliest", action="store_true", help="the likeliest other class wins")
    parser.add_argument(
        "--solvers",
        nargs="+",
        choices=[*STRATEGIES, *SOLVERS, *(f"{each}{WITH_ROWS}" for each in SOLVERS)],
        default=[OURS, *SOLVERS],
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    use_threads(options.threads)
    keep_freed_memory()
    limits = Limits.chosen(options)
    for file in options.networks:
        attacked = load_attacked_network(
            file, options.images, options.data_dir, likeliest=options.likeliest
        )
        prepare = Preparation(attacked.network, options.distance)
        answers = {
            solver: partial(answer, solver=solver, prepare=prepare) for solver in options.solvers
        }
        asked = {"distance": options.distance, "likeliest": options.likeliest}
        name = f"{attacked.name}-{options.distance}{'-likeliest' if options.likeliest else ''}"
        path = options.work_dir / "branch_and_bound" / name
        rows = answered(path, attacked, limits, answers, **asked)
        print(rows.to_string(index=False, columns=_shown(rows), float_format="%.4g"), flush=True)
        print(summary(rows).to_string(float_format="%.4g"), flush=True)


def _shown(rows: pd.DataFrame) -> list[str]:
    shown = ("image", "answer", "status", "radius", "objective", "lower_bound", "nodes")
    times = ("seconds", "solver_processor_seconds")
    return [name for name in (*shown, *times, "reason") if name in rows]


if __name__ == "__main__":
    main()
