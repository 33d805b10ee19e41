"""The search for the nearest attack and its proof: attack, ball, bounds, solver, and again.

What is open at the end has some time for its lower bound alone, in small balls that grow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from advmip.mip.attack_tree import STRATEGIES
from advmip.mip.bounds import (
    PropagatedBounds,
    interval_bounds,
    patience,
    tightened_bounds,
    tightened_further,
)
from advmip.mip.deadline import OutOfTimeError, as_far_as, checkpoint, time_is_up, until
from advmip.mip.encoding import Interval, check_finite, unstable_neurons
from advmip.mip.exact_attack.ingredients import Ingredients
from advmip.mip.exact_attack.progress import ALL_CASES, Progress
from advmip.mip.exact_attack.result import Attack
from advmip.mip.exact_attack.shrinking_tree import ShrinkingTree
from advmip.mip.formulations import Formulation
from advmip.mip.heuristics.activation_patterns import PatternSearch
from advmip.mip.heuristics.ball_attack import Logits
from advmip.mip.heuristics.first_attack import first_attack
from advmip.mip.heuristics.incumbent import Incumbent, corrected, nearest_attack
from advmip.mip.model import Vector
from advmip.mip.preparation import prepare
from advmip.mip.problem import Problem
from advmip.mip.solvers import AUTO, Options, Status

# An attack nearer by this factor is worth tightening the bounds for it, and starting again.
_WORTH_A_RESTART = 0.98
# The search has this share of the time at most: a proof needs the rest.
_SEARCH_SHARE = 0.25
# Distance cuts and the bounds under them have this share of the time left at most.
_DISTANCE_CUTS_SHARE = 0.25
# A tree over signs is asked where so many neurons are open, in turn with programs: the seconds of
# the first turn, and how many times as long the next one is.
_FEW_OPEN = 12
_TURN, _LONGER = 1.0, 4.0
_TREE = "tree"
# Balls for lower bounds grow by this factor, from this share of the radius on.
_GROWTH = 1.1
_LEAST = 0.01
# A ball that a tree is asked about is larger by this factor at least than one that is settled.
_WORTH_A_TREE = 1.001
# The largest ball that linear forms settle is known to this share.
_CLOSE = 0.95

_log = logging.getLogger(__name__)


class ExactAttack:
    """One attack under way.

    Args:
        problem: The problem.
        formulation: Of the unstable neurons.
        solver: A solver's name, "auto", "mipverify", or one of `attack_tree.STRATEGIES`.
        options: For the solver; its time limit is that of everything.
        logits: The problem's network, to be differentiated.
        extra_margin: By how much attacks should exceed the goal besides, to be clear of rounding.
        begun: When the attack began, by `time.perf_counter`.
    """

    def __init__(
        self,
        problem: Problem,
        formulation: Formulation,
        solver: str,
        options: Options,
        logits: Logits,
        extra_margin: float,
        begun: float,
    ) -> None:
        self._problem = problem
        self._formulation = formulation
        self._solver = solver
        self._options = options
        self._logits = logits
        self._extra_margin = extra_margin
        self._begun = begun
        self._progress = Progress(problem, options, begun)
        # Bounds in the best attack's ball: by forms; by programs, whether whole, and their seconds.
        self._propagated: PropagatedBounds | None = None
        self._shared: list[Interval] | None = None
        self._shared_whole = False
        self._bounding = 0.0

    def solve_directly(self, bounds: list[Interval]) -> None:
        """Give the whole problem to the solver, as one model, or as a tree for each case."""
        progress = self._progress
        if self._solver not in STRATEGIES:
            progress.proved = self._solve(self._problem, bounds, progress.left, ALL_CASES)
            return
        cases = self._cases()
        progress.separate(cases)
        progress.proved = all(
            [
                self._solve(self._problem.towards(each), bounds, progress.left, each)
                for each in cases
            ]
        )

    def solve_progressively(self, ingredients: Ingredients) -> None:
        """Search; then, for each case of the goal, shrink the ball, tighten and solve."""
        progress = self._progress
        if ingredients.search:
            deadline = self._begun + _SEARCH_SHARE * self._options.time_limit
            with progress.phases.timed("search"), until(deadline):
                clear = self._problem.with_extra_margin(self._extra_margin)
                progress.improve(first_attack(clear, self._logits, seed=self._options.seed))
            seconds = progress.phases.seconds["search"]
            _log.info("search: best distance %.6g (%.1f s)", progress.radius, seconds)
        cases = self._cases()
        progress.separate(cases)
        tree = ingredients.tree and self._tree_fits
        settled = self._settled_by_turns(cases, self._tree(cases) if tree else None, ingredients)
        progress.proved = settled or self._settled_in_growing_balls(tree=tree)

    def raise_margin(self, extra: float) -> None:
        """Move the best attack to where it exceeds the goal by more, if that is within the gap."""
        found = self._progress.incumbent
        if found is not None:
            radius = found.value * (1.0 + self._options.gap)
            clear = self._problem.with_extra_margin(extra).within(radius)
            if clear.distance.counting:
                clear = replace(clear, box=clear.box.on(found.change != 0.0))
            moved = self._nearest_of_pattern(clear, found.change)
            if moved is not None and moved.value <= clear.radius:
                self._progress.incumbent = moved

    def result(self) -> Attack:
        """What was found and proved."""
        return self._progress.result()

    def _cases(self) -> list[int]:
        """The cases of the goal, the nearest first."""
        return self._problem.goal.nearest_cases(self._problem.network.logits(self._problem.image))

    @property
    def _tree_fits(self) -> bool:
        """Whether a tree over signs may be asked: in L-infinity, unless a solver is named."""
        found = self._progress.incumbent is not None
        return found and self._solver == AUTO and self._problem.distance.name == "linf"

    def _left_by_forms(
        self, within: Problem, cases: Iterable[int], deadline: float
    ) -> tuple[PropagatedBounds, list[int]]:
        """Bounds by forms in a ball, and the cases that they do not exclude."""
        with self._progress.phases.timed("bounds"), until(deadline):
            propagated = self._propagated_over(within)
            left = [c for c in cases if not propagated.excludes(within.towards(c).goal)]
        return propagated, left

    def _tree(self, cases: Sequence[int]) -> ShrinkingTree | None:
        """A tree over signs within the ball of the best attack; None if little is open there."""
        progress = self._progress
        within = self._problem.within(progress.radius)
        propagated, left = self._left_by_forms(within, cases, progress.settling_until)
        unstable = unstable_neurons(propagated.intervals)
        if unstable < _FEW_OPEN or not left:
            return None
        progress.unstable = unstable
        return ShrinkingTree(within, propagated.intervals, left)

    def _settled_by_turns(
        self, cases: Sequence[int], tree: ShrinkingTree | None, ingredients: Ingredients
    ) -> bool:
        """Ask a tree and programs in turn; whether every case is settled in time.

        Which of them is quicker shows only at the end. A tree goes on where it was, programs begin
        anew: turns grow, and the last two share what is left.
        """
        turn, open_ = _TURN, list(cases)
        while True:
            left = self._progress.left_to_settle
            last = tree is None or left < 2.0 * (1.0 + _LONGER) * turn
            if tree is not None:
                if self._settled_by_tree(tree, 0.5 * left if last else turn):
                    return True
                last |= tree.ended
            with self._progress.turn(np.inf if last else turn):
                # What is settled in a ball is settled in a smaller one.
                open_ = [case for case in open_ if not self._settled(case, ingredients)]
            if last or not open_:
                return not open_
            turn *= _LONGER

    def _settled_by_tree(self, tree: ShrinkingTree, turn: float) -> bool:
        """Exclude every nearer attack by a tree; whether it came to that in its turn.

        What it comes across on the way makes the ball of the best attack smaller.
        """
        progress = self._progress
        end, radius, nodes = time.perf_counter() + turn, np.inf, tree.nodes
        with progress.phases.timed("solver"), as_far_as(progress.settling_until):
            while progress.radius < radius and not tree.settled:
                radius = progress.radius
                tree.shrink(radius * (1.0 - self._options.gap))
                change = tree.run(end - time.perf_counter())
                if change is not None:
                    progress.improve(self._polished(self._problem.within(radius), change))
        progress.nodes += tree.nodes - nodes
        if tree.settled:
            progress.solver = _TREE, "forms exclude every nearer attack"
            for case in progress.bounds:
                progress.raise_bound(case, tree.radius)
        return tree.settled

    def _settled(self, case: int, ingredients: Ingredients) -> bool:
        """Find the best attack towards one case, or that none is nearer; whether in time."""
        progress, towards = self._progress, self._problem.towards(case)
        while progress.left_to_settle > 0:
            problem = towards.within(progress.radius) if ingredients.ball else towards
            with progress.phases.timed("bounds"), until(progress.settling_until):
                tightened = (
                    self._tightened(problem) if ingredients.relaxation else interval_bounds(problem)
                )
            if tightened is None:
                progress.raise_bound(case, progress.radius)
                return True
            _log.info(
                "%s: %d of %d neurons open",
                problem.goal.name,
                unstable_neurons(tightened),
                problem.network.neurons,
            )
            if not ingredients.restart:
                return self._solve(problem, tightened, progress.left_to_settle, case)
            first = min(patience(problem, self._bounding), progress.left_to_settle)
            farther = progress.radius
            if self._solve(problem, tightened, first, case):
                return True
            if progress.radius < _WORTH_A_RESTART * farther:
                continue
            if ingredients.distance_cuts:
                share = _DISTANCE_CUTS_SHARE * progress.left_to_settle
                with progress.phases.timed("bounds"), until(time.perf_counter() + share):
                    found = tightened_further(problem, tightened)
                if found is None:
                    progress.raise_bound(case, progress.radius)
                    return True
                problem, tightened = found
            return self._solve(problem, tightened, progress.left_to_settle, case)
        return False

    def _settled_in_growing_balls(self, *, tree: bool) -> bool:
        """Raise the bounds that are left in balls that grow; whether all came to the best attack.

        Relaxations over the whole ball may have nothing to say, and depth first a tree's bound is
        its root's, but in a small ball few neurons are open.

        Args:
            tree: Whether a tree over signs is asked, before programs are.
        """
        progress = self._progress
        if not np.isfinite(progress.radius):
            return False
        self._raise_bounds_by_forms()
        if tree:
            self._raise_bounds_by_trees()
        done: set[int] = set()
        while progress.left > 0:
            bounds = {
                case: bound
                for case, bound in progress.bounds.items()
                if bound < progress.radius and case not in done
            }
            if not bounds:
                return True
            case = min(bounds, key=bounds.__getitem__)
            smallest = max(bounds[case], _LEAST * progress.radius)
            radius = self._problem.distance.grown(smallest, _GROWTH)
            problem = self._problem.towards(case).within(min(radius, progress.radius))
            with progress.phases.timed("bounds"), until(progress.deadline):
                tightened = self._tightened(problem)
            if tightened is None:
                progress.raise_bound(case, problem.radius)
                progress.note()
            elif not self._solve(problem, tightened, progress.left, case):
                break
            if problem.radius >= progress.radius:
                done.add(case)
        return False

    def _raise_bounds_by_forms(self) -> None:
        """Bisect the largest ball in which linear forms exclude every case."""
        progress = self._progress
        excluded, open_ = progress.lower_bound, progress.radius
        while excluded < _CLOSE * open_ and open_ > _LEAST * progress.radius and progress.left > 0:
            middle = 0.5 * (excluded + open_)
            with progress.phases.timed("bounds"), until(progress.deadline):
                propagated = PropagatedBounds(self._problem.within(middle))
                left = [
                    case
                    for case in progress.bounds
                    if not propagated.excludes(self._problem.towards(case).goal)
                ]
            for case in progress.bounds.keys() - left:
                progress.raise_bound(case, middle)
            if left:
                open_ = middle
            else:
                excluded = middle
        progress.note()

    def _raise_bounds_by_trees(self) -> None:
        """Exclude every case in balls that grow, by a tree in each, as far as there is time."""
        progress = self._progress
        while progress.left > 0:
            farthest = progress.radius
            smallest = max(progress.lower_bound, _LEAST * farthest)
            radius = min(smallest * _GROWTH, (smallest + farthest) / 2.0)
            if radius < smallest * _WORTH_A_TREE:
                return
            within = self._problem.within(radius)
            propagated, left = self._left_by_forms(within, progress.bounds, progress.deadline)
            if left:
                with progress.phases.timed("solver"), until(progress.deadline):
                    tree = ShrinkingTree(within, propagated.intervals, left)
                    change = tree.run()
                progress.nodes += tree.nodes
                if change is not None:
                    progress.improve(self._polished(within, change))
                    if progress.radius < farthest:
                        continue
                if not tree.settled:
                    return
            for case in progress.bounds:
                progress.raise_bound(case, radius)
            progress.note()

    def _tightened(self, problem: Problem) -> list[Interval] | None:
        """Bounds within the ball; None if no attack of the problem's case is in it.

        Where the goal is no part of them, they are the same for every case.
        """
        propagated = self._propagated_over(problem)
        if propagated.excludes(problem.goal):
            return None
        known = None if problem.distance.counting else self._shared
        if known is None or not self._shared_whole:
            begun = time.perf_counter()
            self._shared = tightened_bounds(problem, known or propagated.intervals)
            self._shared_whole = not time_is_up()
            self._bounding = time.perf_counter() - begun
        return self._shared

    def _propagated_over(self, problem: Problem) -> PropagatedBounds:
        """Bounds by forms within the problem's radius, made once for a radius."""
        if self._propagated is None or self._propagated.radius != problem.radius:
            self._propagated = PropagatedBounds(problem)
            self._shared, self._bounding = None, 0.0
        return self._propagated

    def _solve(self, problem: Problem, bounds: list[Interval], seconds: float, case: int) -> bool:
        """Give a problem to the solver and take over what it finds; whether it came to an end."""
        check_finite(bounds, self._formulation)
        if seconds <= 0.0:
            return False
        measure, progress = problem.distance, self._progress
        with progress.phases.timed("solver"), until(progress.deadline):
            try:
                checkpoint()
                prepared = prepare(problem, bounds, self._formulation, self._solver)
            except OutOfTimeError:
                return False
            # A ball smaller than that of the best attack has no attack to come near to.
            radius = min(problem.radius, progress.radius)
            gap = self._options.gap if radius == progress.radius else 0.0
            options = self._options.within(seconds, cutoff=measure.cutoff(radius, gap))
            _log.info(
                "%s: at most %.0f s (%s)", prepared.solver, options.time_limit, prepared.reason
            )
            started = progress.seconds
            solution = prepared.solve(options)
            found = None
            if solution.point is not None:
                found = self._polished(problem, prepared.lifted(solution.point))
            # The solver's points count as far as the network confirms the last of them.
            nearest = progress.radius if found is None else found.value
            for passed, value, bound in solution.trace:
                progress.raise_bound(case, min(measure.distance(bound), radius))
                progress.note(started + passed, max(measure.distance(value), nearest))
            progress.improve(found)
        progress.unstable = max(progress.unstable, unstable_neurons(bounds))
        progress.solver = prepared.solver, prepared.reason
        progress.nodes += solution.nodes
        return solution.status in (Status.OPTIMAL, Status.INFEASIBLE)

    def _polished(self, problem: Problem, change: Vector) -> Incumbent | None:
        """The solver's point, or a better one of its pattern, free of the solver's tolerances.

        Where none that is clear of rounding is as near, one that is not.
        """
        clear = self._nearest_of_pattern(problem.with_extra_margin(self._extra_margin), change)
        reached = problem.length(change) * (1.0 + self._options.gap)
        if clear is not None and clear.value <= reached:
            return clear
        nearest = self._nearest_of_pattern(problem, change)
        return min(filter(None, (clear, nearest)), key=lambda each: each.value, default=None)

    def _nearest_of_pattern(self, problem: Problem, change: Vector) -> Incumbent | None:
        """The best point of a perturbation's pattern, or that point moved across the border."""
        candidates = [corrected(problem, problem.box.clipped(change))]
        with as_far_as(self._progress.deadline):
            checkpoint()
            bounds = PropagatedBounds(problem).intervals
            patterns = PatternSearch(problem.towards(problem.nearest_case(change)), bounds)
            candidates.append(patterns.descend(change))
        return nearest_attack(problem, candidates)
