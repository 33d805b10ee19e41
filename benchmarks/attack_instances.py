"""What the benchmarks of exact attacks share: instances, our answer to one, rows that survive.

The instances are those of Zhu's thesis: the first test images that the network classifies
correctly, the target five classes on, and a target that must reach 1.2 times every other logit
(equation (15)).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advmip.datasets import load_dataset
from advmip.datasets.dataset import CLASSES
from advmip.durability.journal import Journal
from advmip.durability.storage import write_atomically
from advmip.mip import minimal_attack
from advmip.mip.margins import runner_up
from advmip.networks import Network, load_network, staged
from advmip.progress import track
from advmip.provenance import code_digest, provenance

Row = dict[str, Any]

RATIO = 1.2

_TARGET_SHIFT = 5
# What decides our answers and how long they take.
_CODE = ("checking.attacks", "datasets", "margins", "mip", "networks")


@dataclass(frozen=True)
class Instance:
    """An image, and the class that it shall be taken for.

    Attributes:
        number: Which of the test images, from 0.
        image: In [0, 1], of the network's input shape.
        label: Its class, which the network predicts.
        target: The class that the attacker wants.
    """

    number: int
    image: NDArray[np.float64]
    label: int
    target: int

    @property
    def others(self) -> list[int]:
        """The classes that the target must beat."""
        return [each for each in range(CLASSES) if each != self.target]


@dataclass(frozen=True)
class AttackedNetwork:
    """A network and the instances on it.

    Attributes:
        name: The name of its file, without suffix.
        network: The network.
        instances: The first test images that it classifies correctly.
    """

    name: str
    network: Network
    instances: list[Instance]


@dataclass(frozen=True)
class Limits:
    """What every solver is told.

    Attributes:
        time_limit: Seconds for one attack.
        gap: The relative gap that counts as proof.
        threads: Threads of the solver.
    """

    time_limit: float
    gap: float
    threads: int

    @classmethod
    def chosen(cls, options: argparse.Namespace) -> Limits:
        """Those of the command line."""
        return cls(options.time_limit, options.gap, options.threads)


Answer = Callable[[Instance, Limits], Row]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which attacks are done, and under which conditions."""
    parser.add_argument("networks", nargs="+", type=Path, help="files: .safetensors or .onnx")
    parser.add_argument("--images", type=int, default=10, help="how many on each network")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds an attack")
    parser.add_argument("--gap", type=float, default=1e-4, help="relative, counts as proof")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--work-dir", type=Path, default=Path("results/benchmarks"))


def load_attacked_network(
    file: Path, images: int, data_dir: Path, *, likeliest: bool = False
) -> AttackedNetwork:
    """A network of MNIST with its first instances.

    Args:
        file: The network.
        images: How many instances.
        data_dir: Holds MNIST.
        likeliest: The target is the likeliest other class, in place of the class five on.
    """
    network = load_network(file)
    test = load_dataset("mnist", "test", data_dir)
    columns = test.images.reshape(len(test.images), -1).T.astype(np.float64)
    logits = staged(network).logits(columns)
    correct = np.flatnonzero(logits.argmax(axis=0) == test.labels)[:images]
    shape = network.architecture.input_shape

    def target(number: int) -> int:
        label = int(test.labels[number])
        if likeliest:
            return runner_up(logits[:, number], label)
        return (label + _TARGET_SHIFT) % CLASSES

    instances = [
        Instance(
            number=int(number),
            image=test.images[number].reshape(shape).astype(np.float64),
            label=int(test.labels[number]),
            target=target(number),
        )
        for number in correct
    ]
    return AttackedNetwork(file.stem, network, instances)


def our_answer(
    instance: Instance,
    limits: Limits,
    *,
    network: Network,
    distance: str,
    solver: str,
    failures: Path,
) -> Row:
    """What `minimal_attack` finds and proves, and how long each part of it takes."""
    attack = minimal_attack(
        network,
        instance.image,
        instance.label,
        distance,
        target=instance.target,
        ratio=RATIO,
        solver=solver,
        time_limit=limits.time_limit,
        gap=limits.gap,
        threads=limits.threads,
        failures=failures,
    )
    return {
        "status": attack.status.value,
        "objective": attack.distance,
        "lower_bound": attack.lower_bound,
        "seconds": attack.seconds,
        **{f"seconds_{phase}": seconds for phase, seconds in attack.phases.items()},
        "nodes": attack.nodes,
        "unstable": attack.unstable,
        "solver_taken": attack.solver,
    }


def warm_up(attacked: AttackedNetwork, limits: Limits, answers: Mapping[str, Answer]) -> None:
    """Answer once in a second, to no purpose: the first call of anything pays for its loading."""
    for answer in answers.values():
        answer(attacked.instances[0], replace(limits, time_limit=1.0))


def answered(
    path: Path,
    attacked: AttackedNetwork,
    limits: Limits,
    answers: Mapping[str, Answer],
    **depends: Any,
) -> pd.DataFrame:
    """One row for each instance and way to answer it; what a journal holds is not done again.

    Every row gets the processor's seconds too, which other work on the machine hardly changes.
    A row is on disk as soon as it is there. It counts as long as our code, the network and the
    conditions are what they were.

    Args:
        path: Where the rows go, without suffix: `.jsonl` for the journal, `.csv` for the table.
        attacked: The network and its instances.
        limits: What every solver is told.
        answers: The ways to answer an instance, by name. They take turns on each instance, so
            that all of them meet the same machine.
        depends: What else the rows depend on.
    """
    identity = {
        "code": code_digest(*_CODE),
        "network": attacked.network.digest,
        "limits": asdict(limits),
        **depends,
    }
    work = [(name, instance) for instance in attacked.instances for name in answers]
    rows: list[Row] = []
    with Journal(path.with_suffix(".jsonl"), identity) as journal:
        for name, instance in track(work, attacked.name, enabled=True):
            key = f"{name} image={instance.number}"
            if key not in journal:
                what = {"network": attacked.name, "answer": name, "image": instance.number}
                origin = {**depends, **asdict(limits), **provenance(limits.threads)}
                begun = time.process_time()
                answer = answers[name](instance, limits)
                answer["processor_seconds"] = time.process_time() - begun
                journal.record(key, {**what, **answer, **origin})
            rows.append(journal.get(key))
    frame = pd.DataFrame(rows)
    with write_atomically(path.with_suffix(".csv")) as temporary:
        frame.to_csv(temporary, index=False)
    return frame
