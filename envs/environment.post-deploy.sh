#!/usr/bin/env bash
# Run in the activated environment, from the project's folder or by the workflow, wherever it is started.
set -euo pipefail
cd "${ADVMIP_WORKFLOW:-workflow}/.."
uv pip install --python "$CONDA_PREFIX/bin/python" --compile-bytecode --no-deps --require-hashes -r requirements.lock
uv pip install --python "$CONDA_PREFIX/bin/python" --no-deps --editable .
