"""Who answers the competition's benchmarks, as tables and figures write them."""

from __future__ import annotations

from collections.abc import Iterable

from advmip.reporting.ben_mhenni.names import SOLVERS

EXPERIMENT = "benchmarks"

OURS = "ours"
# In the order of tables.
TOOLS = (
    *("alpha-beta-CROWN", "MN-BaB", "VeriNet", "nnenum", "Marabou", "PeregriNN", "Debona"),
    *("ERAN", "OVAL"),
)

_AUTO = "auto"


def ours_with(solver: str) -> str:
    """Ours, as the library chooses the solver or with one of them."""
    return OURS if solver == _AUTO else f"{OURS}, {SOLVERS[solver]}"


def in_order(tools: Iterable[str]) -> list[str]:
    """Ours first, then the known tools, then others."""
    named = dict.fromkeys(tools)
    known = [OURS, *(name for name in named if name.startswith(f"{OURS},")), *TOOLS]
    return [name for name in dict.fromkeys([*known, *named]) if name in named]
