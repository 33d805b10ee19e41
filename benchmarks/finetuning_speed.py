"""Time and memory of Algorithm 1 on a released network and the real data.

Usage: python benchmarks/finetuning_speed.py NETWORK ADVERSARIAL_POINTS [--iterations 20] ...
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import torch

from advmip.datasets import Dataset, load_dataset
from advmip.finetuning import finetune
from advmip.gradient_attacks import (
    PROTOCOLS,
    AdversarialSet,
    AttackSettings,
    evaluate,
    generate_adversarial_set,
)
from advmip.memory import keep_freed_memory
from advmip.networks import Network
from advmip.networks.released import released_network
from advmip.provenance import provenance
from advmip.threads import use_threads

ATTACKS = {
    "mnist": AttackSettings(epsilon=0.1, step=0.01, iterations=50),
    "cifar10": AttackSettings(epsilon=8 / 255, step=3 / 255, iterations=3),
}
PUBLISHED = PROTOCOLS["published"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", choices=["cnn_light", "cnn", "resnet8"])
    parser.add_argument("adversarial_points", type=int)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--network-dir", type=Path, default=Path("networks"))
    parser.add_argument("--work-dir", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def adversarial_set(
    network: Network,
    train: Dataset,
    attack: AttackSettings,
    count: int,
    seed: int,
    folder: Path,
) -> AdversarialSet:
    """The points, made once and kept: how they are found is not what is timed."""
    path = folder / f"adversarial_{network.architecture.name}_{count}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        generate_adversarial_set(
            network, train, PUBLISHED, attack, per_label=count // 10, seed=seed
        ).save(path)
    return AdversarialSet.load(path)


def main() -> None:
    options = arguments()
    use_threads(options.threads)
    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = released_network(options.network, options.network_dir, options.work_dir).to(device)
    name = network.architecture.dataset
    train, test = (load_dataset(name, split, options.data_dir) for split in ("train", "test"))
    attack = ATTACKS[name]
    points = adversarial_set(
        network, train, attack, options.adversarial_points, 0, options.work_dir
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    tuned = finetune(network, train, points, iterations=options.iterations)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = tuned.iterations[
        ["seconds_projection", "seconds_gradient", "seconds_line_search"]
    ].sum()
    accuracies = evaluate(tuned.model(0.0), test, PUBLISHED, attack, seed=0)
    print(tuned.iterations.to_string(float_format="%.4g"))
    print(
        json.dumps(
            {
                "network": options.network,
                "adversarial_points": options.adversarial_points,
                "iterations": options.iterations,
                "device": str(device),
                "seconds": round(seconds, 1),
                **{part: round(value, 1) for part, value in parts.items()},
                "peak_memory_gb": round(peak / 2**20, 2),
                "peak_memory_before_gb": round(before / 2**20, 2),
                "omega_0": tuned.choice(0.0),
                "clean_fgsm_pgd": [accuracies.clean, accuracies.fgsm, accuracies.pgd],
                "provenance": provenance(options.threads),
            }
        )
    )


if __name__ == "__main__":
    main()
