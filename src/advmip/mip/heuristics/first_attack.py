"""A first attack: gradient steps, the best point of a pattern, nearby patterns."""

from __future__ import annotations

from advmip.mip.bounds.propagated_bounds import PropagatedBounds
from advmip.mip.deadline import as_far_as, checkpoint
from advmip.mip.heuristics.activation_patterns import PatternSearch
from advmip.mip.heuristics.ball_attack import Logits
from advmip.mip.heuristics.incumbent import Incumbent, meets_goal, nearest_attack, shortfall
from advmip.mip.heuristics.starts import attacks_in_balls, gradient_points, relaxation_optimum
from advmip.mip.model import Vector
from advmip.mip.problem import Problem

# Gradient searches; the better half of their ends is improved by patterns.
_STARTS = 8
# For an attack nearer by this factor, the programs of patterns are made anew.
_SMALLER = 0.9


def first_attack(problem: Problem, logits: Logits, *, seed: int = 0) -> Incumbent | None:
    """A good attack, without proof.

    Args:
        problem: The problem.
        logits: The problem's network, to be differentiated.
        seed: Of the starts.

    Returns:
        The best attack found, or None.
    """

    def order(change: Vector) -> tuple[float, float]:
        return shortfall(problem, change), problem.length(change)

    changes = [point - problem.image for point in gradient_points(problem, _STARTS, seed)]
    changes += attacks_in_balls(problem, logits, nearest_attack(problem, changes), seed)
    candidates = changes[:]
    with as_far_as():
        checkpoint()
        near = _PatternsInBall(problem, changes)
        changes += relaxation_optimum(near.problem, near.bounds)
        changes.sort(key=order)
        candidates = changes[:]
        for change in _selected(problem, changes, _STARTS // 2):
            checkpoint()
            candidates.append(near.patterns(change).descend(change))
            near = near.shrunken(candidates[-1])
        best = min(candidates, key=order)
        if near.patterns(best).linear:
            # The programs of a stand-in are larger, and their optimum is another one; with squares,
            # the tree is faster than so many programs.
            candidates.append(near.patterns(best).descend_from_neighbours(best))
    return nearest_attack(problem, candidates)


class _PatternsInBall:
    """The patterns no farther than the nearest attack: those of a network with few open neurons.

    Args:
        problem: The problem.
        changes: Perturbations (pixels,); where one meets the goal, the nearest is the radius.

    Attributes:
        problem: The problem within the ball.
        bounds: Bounds that hold in it.
    """

    def __init__(self, problem: Problem, changes: list[Vector]) -> None:
        nearest = nearest_attack(problem, changes)
        self.problem = problem if nearest is None else problem.within(nearest.value)
        self.bounds = PropagatedBounds(self.problem).intervals
        self._programs: dict[int, PatternSearch] = {}

    def patterns(self, change: Vector) -> PatternSearch:
        """Those towards the class that a perturbation makes win, or brings nearest to it."""
        case = self.problem.nearest_case(change)
        if case not in self._programs:
            towards = self.problem.towards(case)
            self._programs[case] = PatternSearch(towards, self.bounds)
        return self._programs[case]

    def shrunken(self, change: Vector) -> _PatternsInBall:
        """The ball of an attack that is clearly nearer, or this one."""
        if not meets_goal(self.problem, change):
            return self
        if self.problem.length(change) > _SMALLER * self.problem.radius:
            return self
        return _PatternsInBall(self.problem, [change])


def _selected(problem: Problem, changes: list[Vector], count: int) -> list[Vector]:
    """So many of the points, best first, of as many classes as can be; all if none is an attack."""
    if not meets_goal(problem, changes[0]):
        return changes
    winners = [problem.nearest_case(each) for each in changes]
    firsts = [winners.index(winner) for winner in dict.fromkeys(winners)]
    others = [place for place in range(len(changes)) if place not in firsts]
    return [changes[place] for place in sorted([*firsts, *others][:count])]
