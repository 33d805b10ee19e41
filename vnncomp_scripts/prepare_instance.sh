#!/usr/bin/env bash
# prepare_instance.sh v1 CATEGORY ONNX VNNLIB: whether both files are there; nothing outlives an
# instance, and nothing is converted.
set -euo pipefail
[ "${1:-}" = v1 ] && [ $# -ge 4 ] || { echo "prepare_instance.sh v1 CATEGORY ONNX VNNLIB" >&2; exit 1; }
for file in "$3" "$4"; do
    [ -f "$file" ] || [ -f "$file.gz" ] || { echo "no such file: $file" >&2; exit 1; }
done
