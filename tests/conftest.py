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
