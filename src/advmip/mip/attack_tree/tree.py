"""The tree as a solver: what it takes, and what it refuses with a reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from advmip.errors import InputError
from advmip.mip.attack_tree.search import TreeSearch
from advmip.mip.attack_tree.strategy import STRATEGIES, Strategy
from advmip.mip.deadline import OutOfTimeError, until
from advmip.mip.encoding import Interval
from advmip.mip.formulations import BigM, Formulation
from advmip.mip.formulations.triangle import Triangle
from advmip.mip.problem import Problem, encode
from advmip.mip.projection import in_coordinates
from advmip.mip.solvers.interface import Options, Solution, unknown_solution

# The programs of nodes with squares are dense.
_MOST_SQUARES = 400


@dataclass(frozen=True)
class AttackTree:
    """The tree of a problem.

    Attributes:
        problem: The problem, with one winner and a distance without integers, sets or cones.
        bounds: Bounds of the neurons that hold over the problem's box.
        strategy: The way through it.
    """

    problem: Problem
    bounds: Sequence[Interval]
    strategy: Strategy

    def solve(self, options: Options) -> Solution:
        """Search for the nearest attack, and prove that it is; one thread, without chance.

        Returns:
            A solution whose point is the perturbation (pixels,).
        """
        begun = time.perf_counter()
        with until(begun + options.time_limit):
            try:
                return TreeSearch(self.problem, self.bounds, self.strategy, options).run()
            except OutOfTimeError:
                return unknown_solution(begun)


def refusal(problem: Problem, bounds: Sequence[Interval], formulation: Formulation) -> str | None:
    """Why there is no tree for a problem; None if there is one."""
    if not isinstance(formulation, BigM):
        return f"a tree has the triangles of big-M at its nodes, not formulation {formulation.name}"
    size = encode(in_coordinates(problem).problem, bounds, Triangle()).model.size
    for construct, count in (
        ("integers besides the neurons' signs", size.integers),
        ("special ordered sets", size.sos2),
        ("second-order cones", size.cones),
    ):
        if count:
            return f"a tree has no {construct}, which distance {problem.distance.name} needs"
    if size.quadratic > _MOST_SQUARES:
        return (
            f"a tree takes {_MOST_SQUARES} squares, and the network sees {size.quadratic} "
            "coordinates of an image"
        )
    return None


def tree_for(
    problem: Problem, bounds: Sequence[Interval], formulation: Formulation, name: str
) -> AttackTree:
    """The tree of a problem.

    Args:
        problem: The problem, with one winner.
        bounds: Bounds of the neurons that hold over the problem's box.
        formulation: As asked; only big-M's relaxation is there.
        name: One of `STRATEGIES`.

    Raises:
        InputError: There is no tree for the problem.
    """
    reason = refusal(problem, bounds, formulation)
    if reason is not None:
        raise InputError(
            subject=f"solver {name}",
            found=reason,
            expected='formulation "big-m" and distance l1, l2, linf, tv, l1+tv or l2-K',
            mend='choose solver "auto"',
        )
    return AttackTree(problem, bounds, STRATEGIES[name])
