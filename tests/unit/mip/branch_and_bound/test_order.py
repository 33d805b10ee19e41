"""The nodes of a tree come in the order that is asked for."""

from __future__ import annotations

import numpy as np

from advmip.mip.branch_and_bound.node import Node
from advmip.mip.branch_and_bound.order import BestFirst, DepthFirst, Plunging


def node(bound: float) -> Node:
    return Node(np.zeros(1, np.int8), bound)


def test_orders_know_the_smallest_bound_and_what_is_next() -> None:
    first, second, third = node(3.0), node(2.0), node(5.0)
    deep, best, plunging = DepthFirst(), BestFirst(), Plunging()
    for order in (deep, best, plunging):
        order.push([first, second])
        assert len(order) == 2
        assert order.bound == 2.0
    assert deep.pop() is first
    assert best.pop() is second
    assert plunging.pop() is first
    plunging.push([third])
    assert plunging.pop() is third
    assert plunging.pop() is second
    assert len(plunging) == 0
    assert plunging.bound == np.inf
