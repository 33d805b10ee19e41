"""The search: evaluate a node, prune it or split it, until no node is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from advmip.mip.attack_tree.relaxation import Relaxation
from advmip.mip.attack_tree.strategy import Strategy
from advmip.mip.branch_and_bound.branching import NodePoint, split_blindly
from advmip.mip.branch_and_bound.node import OPEN, Node
from advmip.mip.deadline import as_far_as, time_is_up
from advmip.mip.encoding import Interval
from advmip.mip.heuristics.activation_patterns import PatternSearch
from advmip.mip.heuristics.incumbent import Incumbent, nearest_attack
from advmip.mip.model import Indices, Vector
from advmip.mip.problem import Problem
from advmip.mip.solvers.interface import Options, Solution, Trace, conclude

# A neuron whose output exceeds max(p, 0) by no more than this is exact.
_EXACT = 1e-7
# What the tolerances of solvers may take from a bound.
_TOLERANCE = 1e-6
# The first nodes whose pattern is searched for attacks, and every so many after them.
_EARLY = (1, 10, 100)
_PERIOD = 1000
# Seconds between two notes of the bound.
_NOTE = 0.5


class TreeSearch:
    """A tree under way.

    Args:
        problem: The problem, with one winner.
        bounds: Bounds of the neurons that hold over the problem's box.
        strategy: The way through the tree.
        options: Time limit, gap and cutoff.
    """

    def __init__(
        self, problem: Problem, bounds: Sequence[Interval], strategy: Strategy, options: Options
    ) -> None:
        self._begun = time.perf_counter()
        self._problem = problem
        self._options = options
        self._relaxation = Relaxation(problem, bounds)
        self._patterns = PatternSearch(problem, list(bounds))
        self._rule, self._order = strategy.rule(), strategy.order()
        self._incumbent: Incumbent | None = None
        self._cutoff = options.cutoff
        self._relaxation.stop_above(self._cutoff)
        if strategy.strengthened:
            with as_far_as():
                self._relaxation.strengthen()
        # The smallest bound of a part that could neither be pruned nor split.
        self._unsettled = np.inf
        # The bound of the node that has left the order and is being settled.
        self._under_way = np.inf
        self._nodes = 0
        self._noted = self._begun
        self._trace = Trace()

    def run(self) -> Solution:
        """Work through the tree; the solution's point is the perturbation (pixels,)."""
        self._order.push([Node(np.full(self._relaxation.neurons, OPEN, np.int8), -np.inf)])
        while len(self._order) and not time_is_up():
            node = self._order.pop()
            if node.bound < self._cutoff:
                self._under_way = node.bound
                self._settle(node)
                self._under_way = np.inf
                if time.perf_counter() - self._noted > _NOTE:
                    self._note()
        self._note()
        found = self._incumbent
        return conclude(
            self._options,
            proved=self._bound >= self._cutoff,
            point=None if found is None else found.change,
            value=self._value,
            bound=self._bound,
            nodes=self._nodes,
            begun=self._begun,
            trace=self._trace,
        )

    @property
    def _value(self) -> float:
        if self._incumbent is None:
            return np.inf
        return self._problem.distance.objective(self._incumbent.value)

    @property
    def _bound(self) -> float:
        return min(self._order.bound, self._under_way, self._unsettled, self._cutoff)

    def _note(self) -> None:
        self._noted = time.perf_counter()
        self._trace.add(self._noted - self._begun, self._value, self._bound)

    def _settle(self, node: Node) -> None:
        """Prune a node or put its children into the order."""
        value = self._relaxation.value(node.signs)
        if value == -np.inf and time_is_up():
            self._unsettled = min(self._unsettled, node.bound)
            return
        self._nodes += 1
        if node.branching is not None:
            self._rule.learn(node.branching, value)
        if value == -np.inf:
            children = split_blindly(node)
            self._order.push(children)
            if not children:
                self._unsettled = min(self._unsettled, node.bound)
            return
        if value >= self._cutoff:
            return
        point = self._relaxation.point(value)
        open_neurons = np.flatnonzero(point.errors > _EXACT)
        if not open_neurons.size:
            self._close(node, point)
            return
        self._try(point.change)
        if value < self._cutoff:
            self._split(node, point, open_neurons)

    def _split(self, node: Node, point: NodePoint, candidates: Indices) -> None:
        value = self._relaxation.value
        decision = self._rule.split(node, point, candidates, self._cutoff, value)
        self._order.push(decision.children(node, point, self._cutoff))

    def _close(self, node: Node, point: NodePoint) -> None:
        """Take over the point of a node whose relaxation is exact there."""
        if self._improve([point.change]) and self._pruned(node, point):
            return
        # Within the solver's tolerances only: the pattern's own program has a point, or there is
        # one on the other side of a neuron that is next to 0.
        if self._improve([self._patterns.descend(point.change)]) and self._pruned(node, point):
            return
        unheld = np.flatnonzero(node.signs == OPEN)
        if unheld.size:
            self._split(node, point, unheld)
        else:
            self._unsettled = min(self._unsettled, point.value)

    def _pruned(self, node: Node, point: NodePoint) -> bool:
        """Whether a node is of no more interest, now that its point is known as an attack.

        A program with squares is solved as exactly as the cutoff asks for, which has changed.
        """
        asked = self._cutoff - _TOLERANCE * (1.0 + abs(self._cutoff))
        return point.value >= asked or self._relaxation.value(node.signs) >= asked

    def _try(self, change: Vector) -> None:
        """See whether a node's point is an attack; now and then, whether its pattern has one."""
        self._improve([change])
        if self._nodes in _EARLY or self._nodes % _PERIOD == 0:
            self._improve([self._patterns.descend(change)])

    def _improve(self, changes: list[Vector]) -> bool:
        """Keep the best attack of these if it is nearer than all before; whether there is one."""
        box = self._problem.box
        found = nearest_attack(
            self._problem, [np.clip(change, box.lower, box.upper) for change in changes]
        )
        if found is None:
            return False
        value = self._problem.distance.objective(found.value)
        if value < min(self._value, self._options.cutoff):
            self._incumbent = found
            cutoff = self._problem.distance.cutoff(found.value, self._options.gap)
            self._cutoff = min(self._cutoff, cutoff)
            self._relaxation.stop_above(self._cutoff)
            self._note()
        return True
