"""Verification of the first test images of MNIST: verdicts, what they rest on, seconds by phase.

Each verdict is recorded as soon as it is there. A run that was stopped goes on where it was, and
with more images does only those that are new; changed code starts anew.

Usage: python benchmarks/verification.py net.onnx --images 100 --reference verdicts.csv
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advmip.datasets import load_dataset
from advmip.durability.journal import Journal
from advmip.durability.storage import write_atomically
from advmip.memory import keep_freed_memory
from advmip.mip import Verdict, Verifier
from advmip.mip.solvers import AUTO, SOLVERS
from advmip.networks import load_network
from advmip.progress import track
from advmip.provenance import code_digest, provenance
from advmip.threads import use_threads

# What decides the verdicts and how long they take.
_CODE = ("checking.attacks", "datasets", "margins", "mip", "networks")
# The columns of a reference, and what its outcomes are called here.
_NUMBER, _OUTCOME = "mnist_test_index_0based", "outcome"
_OUTCOMES = {
    "certified": "robust",
    "adversarial_exists": "attackable",
    "misclassified": "misclassified",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", type=Path, help="file: .safetensors or .onnx")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--norm", default="linf")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds an image")
    parser.add_argument("--solver", choices=[AUTO, *SOLVERS], default=AUTO)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--work-dir", type=Path, default=Path("results/benchmarks"))
    parser.add_argument(
        "--reference", type=Path, help=f"verdicts to compare with, columns {_NUMBER}, {_OUTCOME}"
    )
    return parser.parse_args()


def row_of(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a row, without its image."""
    return {
        "status": verdict.status.value,
        "evidence": verdict.evidence.value,
        "least_margin": float(verdict.margins.min()),
        "unstable": verdict.unstable,
        "nodes": verdict.nodes,
        "solver": verdict.solver,
        "reason": verdict.reason,
        "seconds": verdict.seconds,
        **{f"seconds_{phase}": seconds for phase, seconds in verdict.phases.items()},
    }


def verdicts(options: argparse.Namespace) -> pd.DataFrame:
    """A row for each image; what a journal holds is not done again."""
    network = load_network(options.network)
    test = load_dataset("mnist", "test", options.data_dir)
    how = {
        "epsilon": options.epsilon,
        "norm": options.norm,
        "time_limit": options.time_limit,
        "solver": options.solver,
        "threads": options.threads,
    }
    verifier = Verifier(network, failures=options.work_dir, **how)
    identity = {"code": code_digest(*_CODE), "network": network.digest, "data": test.digest, **how}
    name = f"{options.network.stem}-{options.norm}-{options.epsilon:g}-{options.solver}"
    folder = options.work_dir / "verification"
    shape = network.architecture.input_shape
    # The first call of anything pays for its loading.
    verifier.verdict(test.images[0].reshape(shape), int(test.labels[0]))
    rows = []
    with Journal(folder / f"{name}.jsonl", identity) as journal:
        for number in track(range(options.images), options.network.stem, enabled=True):
            key = f"image={number}"
            if key not in journal:
                begun = time.process_time()
                image, label = test.images[number].reshape(shape), int(test.labels[number])
                row = {"image": number, "label": label, **row_of(verifier.verdict(image, label))}
                row["processor_seconds"] = time.process_time() - begun
                journal.record(key, {**row, **provenance(options.threads)})
            rows.append(journal.get(key))
    frame = pd.DataFrame(rows)
    with write_atomically(folder / f"{name}.csv") as temporary:
        frame.to_csv(temporary, index=False)
    return frame


def differing(frame: pd.DataFrame, reference: Path) -> pd.DataFrame:
    """The images whose verdict is not that of a reference, with both."""
    listed = pd.read_csv(reference).set_index(_NUMBER)[_OUTCOME].map(_OUTCOMES)
    both = frame.set_index("image")[["status"]].join(listed.rename("reference"), how="inner")
    return both[both["status"] != both["reference"]]


def main() -> None:
    options = arguments()
    use_threads(options.threads)
    keep_freed_memory()
    frame = verdicts(options)
    needed = frame.groupby(["status", "evidence", "solver"], dropna=False)
    print(
        needed.agg(
            images=("image", "size"),
            mean_seconds=("seconds", "mean"),
            longest_seconds=("seconds", "max"),
            nodes=("nodes", "sum"),
        ).to_string(float_format="%.3g")
    )
    correct = frame[frame["status"] != "misclassified"]
    decided = 100.0 * (correct["status"] != "unknown").mean() if len(correct) else np.nan
    print(
        f"{decided:.1f} % of {len(correct)} correctly classified images decided; "
        f"{frame['seconds'].sum():.1f} s together, {frame['processor_seconds'].sum():.1f} s of the "
        "processor"
    )
    if options.reference is not None:
        others = differing(frame, options.reference)
        print(f"{len(others)} verdicts differ from {options.reference.name}")
        if len(others):
            print(others.to_string())


if __name__ == "__main__":
    main()
