"""Settings of all tests: one thread, since the networks here are too small to share out."""

from advmip.threads import use_threads

use_threads(1)
