#!/usr/bin/env bash
# run_instance.sh v1 CATEGORY ONNX VNNLIB RESULTS_FILE TIMEOUT: one answer, in the competition's words.
set -euo pipefail
[ "${1:-}" = v1 ] && [ $# -ge 6 ] || {
    echo "run_instance.sh v1 CATEGORY ONNX VNNLIB RESULTS_FILE TIMEOUT" >&2
    exit 1
}
onnx=$3 vnnlib=$4 results=$5 seconds=$6
[ -f "$onnx" ] || onnx=$onnx.gz
[ -f "$vnnlib" ] || vnnlib=$vnnlib.gz
advmip=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/advmip
[ -x "$advmip" ] || advmip=advmip

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
timeout --signal=KILL "$seconds" "$advmip" verify "$onnx" "$vnnlib" \
    --time-limit "$seconds" --threads "$(nproc)" --out "$folder/result.txt" || status=$?
if [ ! -f "$folder/result.txt" ]; then
    word=error
    [ "$status" -ne 137 ] || word=timeout
    echo "$word" > "$folder/result.txt"
fi
mv "$folder/result.txt" "$results"
