"""Settings of all tests: one thread, since the networks here are too small to share out."""

import pytest

from advmip.threads import use_threads

use_threads(1)


def pytest_addoption(parser):
    parser.addoption(
        "--kills", type=int, default=2, help="How often tests/workflow/test_killing.py kills a run"
    )
    parser.addoption(
        "--rounds", type=int, default=1, help="How often each random fault is tried (test-faults)"
    )


def pytest_collection_modifyitems(config, items):
    """Tests that run side by side: those that share what is dear to make run in one process."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        shared = "smoke" if "smoke" in item.fixturenames else item.path.name
        item.add_marker(pytest.mark.xdist_group(shared))
    # The longest begin first.
    items.sort(key=lambda item: "workflow" not in item.path.parts)
