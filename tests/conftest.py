"""Settings of all tests: one thread, since the networks here are too small to share out."""

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
    """Where files of tests run side by side, the longest begin first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.path.name != "test_smoke.py", "unit" in item.path.parts))
