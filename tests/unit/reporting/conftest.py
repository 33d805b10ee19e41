"""Row files shared by the tests of reporting; tests that change rows write their own."""

from __future__ import annotations

import pytest
from example_rows import PAPERS, STAND_INS, Example, ExampleRows, written

from advmip.reporting.sources import Source, read_sources


@pytest.fixture(scope="session")
def as_printed(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The paper's own networks and the paper's own numbers, one seed."""
    return written(ExampleRows(), tmp_path_factory.mktemp("as_printed"))


@pytest.fixture(scope="session")
def five_seeds(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The same over five seeds with a spread of half a point."""
    rows = ExampleRows(seeds=5, spread=0.5)
    return written(rows, tmp_path_factory.mktemp("five_seeds"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Stand-in networks, fewer iterations, fewer examples."""
    rows = ExampleRows(STAND_INS, iterations=6, counts=(10, 50))
    return written(rows, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def sources() -> dict[str, Source]:
    return read_sources(PAPERS)
