"""The subset of a graph's vertices that costs least, where edges that leave it cost too."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from advmip.mip.model import Flags, Indices, Vector

# Capacities are rounded to integers that sum to no more than this over all vertices.
_LARGEST_SUM = 2**30


class Graph:
    """An undirected graph, asked again and again with other costs.

    Args:
        vertices: How many there are.
        first: One end of each edge (edges,).
        second: The other end (edges,).
    """

    def __init__(self, vertices: int, first: Indices, second: Indices) -> None:
        self.first, self.second = first, second
        self.degree = np.bincount(np.concatenate([first, second]), minlength=vertices)
        self._vertices = vertices
        every = np.arange(vertices)
        self._source, sink = vertices, vertices + 1
        tails = np.concatenate([np.full(vertices, self._source), every, first, second])
        heads = np.concatenate([every, np.full(vertices, sink), second, first])
        backwards = slice(2 * vertices)
        tails, heads = (
            np.concatenate([tails, heads[backwards]]),
            np.concatenate([heads, tails[backwards]]),
        )
        self._order = np.lexsort((heads, tails))
        starts = np.searchsorted(tails[self._order], np.arange(vertices + 3))
        self._structure = heads[self._order].astype(np.int32), starts.astype(np.int32)
        # Where the arcs from `first` to `second` stand in that order.
        self._forth = np.argsort(self._order)[2 * vertices :][: len(first)]
        self._backwards = np.zeros(2 * vertices)

    def cheapest(self, costs: Vector, price: float) -> tuple[Flags, Vector]:
        """The subset S with the least sum of costs in S + price * number of edges that leave S.

        It is a minimum cut (Picard & Queyranne 1975). Costs are rounded to
        some millionth of the price of all edges of a vertex.

        Args:
            costs: Of the vertices (vertices,).
            price: Of an edge, at least 0.

        Returns:
            S (vertices,), and a flow from `first` to `second` along each edge (edges,), no larger
            than the price. No subset costs less than the sum over all vertices of
            min(0, cost + what flows out), up to rounding.
        """
        if price <= 0.0 or not len(self.first):
            return costs < 0, np.zeros(len(self.first))
        # A vertex that costs more than all of its edges is never in S, whatever it costs, and one
        # that earns more always is.
        most = float(self.degree.max() + 1) * price
        scale = _LARGEST_SUM // self._vertices / most
        limited = np.clip(costs, -most, most) * scale
        edges = np.full(len(self.first), np.floor(price * scale))
        wanted = np.concatenate(
            [np.maximum(-limited, 0), np.maximum(limited, 0), edges, edges, self._backwards]
        )
        capacities = np.rint(wanted[self._order]).astype(np.int32)
        shape = (self._vertices + 2, self._vertices + 2)
        graph = sparse.csr_array((capacities, *self._structure), shape=shape)
        # The flow has the structure of the graph.
        flow = maximum_flow(graph, self._source, self._source + 1).flow.data
        left = sparse.csr_array((capacities - flow, *self._structure), shape=shape, copy=True)
        left.eliminate_zeros()
        reached = breadth_first_order(left, self._source, return_predecessors=False)
        inside = np.zeros(self._vertices + 2, bool)
        inside[reached] = True
        return inside[: self._vertices], flow[self._forth] / scale
