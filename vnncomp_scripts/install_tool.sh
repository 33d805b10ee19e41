#!/usr/bin/env bash
# install_tool.sh v1: the environment, at the exact versions of requirements.lock.
set -euo pipefail
[ "${1:-}" = v1 ] || { echo "install_tool.sh v1" >&2; exit 1; }
cd "$(dirname "$0")/.."
make .venv/requirements.lock
