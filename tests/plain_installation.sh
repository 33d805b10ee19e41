#!/usr/bin/env bash
# What a user has after a plain `pip install` of a wheel: no lock, the newest version of everything, no extra.
#   bash tests/plain_installation.sh WHEEL
# torch's smaller build for processors is taken where a file that PIP_CONSTRAINT names asks for it.
set -euo pipefail
wheel=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet "$wheel"
du -sm venv | sed 's/\t.*/ MB/'

venv/bin/python - <<'PYTHON'
import sys
import numpy as np
import advmip
assert "torch" not in sys.modules
from advmip.extras import EXTRAS, installed
from advmip.networks import ARCHITECTURES, new_network

extra = [package for package in sum(EXTRAS.values(), ()) if installed(package)]
print("of the extras, through packages of the core:", ", ".join(extra) or "nothing")
network = new_network(ARCHITECTURES["digits_dnn1"], seed=0).frozen()
image = advmip.load_dataset("digits", "test").images[0]
advmip.save_network(network, "network.safetensors", {})
np.save("image.npy", image)
assert advmip.verify(network, image, epsilon=1e-4).status == "robust"
PYTHON
for solver in auto highs scip; do
    venv/bin/advmip attack network.safetensors image.npy --distance l1 --solver $solver --json |
        venv/bin/python -m json.tool --json-lines --compact
done
venv/bin/advmip verify network.safetensors digits:0-2 --epsilon 0.01
if venv/bin/advmip curve network.safetensors digits:0-2; then
    exit 1 # it draws a figure
fi
