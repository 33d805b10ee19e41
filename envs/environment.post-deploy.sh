#!/usr/bin/env bash
# Run from the project's folder, in the activated environment.
set -euo pipefail
uv pip install --python "$CONDA_PREFIX/bin/python" --compile-bytecode --no-deps --require-hashes -r requirements.lock
uv pip install --python "$CONDA_PREFIX/bin/python" --no-deps --editable .
