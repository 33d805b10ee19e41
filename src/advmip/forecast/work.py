"""What there is to be done: jobs of the workflow, and the instances that they hold."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from advmip.datasets.loading import COUNTS
from advmip.settings import NetworkSettings


class Kind(NamedTuple):
    """What makes instances alike, so that the times of some tell those of others.

    Attributes:
        what: What is done, such as "attack".
        network: The architecture, and what it is trained against.
        method: The distance, the radius, or the number of adversarial examples.
        manner: How: bounds, solver, protocol.
    """

    what: str
    network: str
    method: str = ""
    manner: str = ""


class Effort(NamedTuple):
    """So much of a kind of work; times are proportional to the amount."""

    kind: Kind
    amount: float = 1.0


@dataclass(frozen=True)
class Instance:
    """Something that is done in one go.

    Attributes:
        efforts: What it consists of.
        limit: Seconds after which it ends, if it has not ended before.
    """

    efforts: tuple[Effort, ...]
    limit: float = math.inf


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        name: Its name among the benchmarks of the workflow, such as "zk/initial/CNN".
        rule: The rule that it is of.
        instances: What it does, and how often.
        needs: The jobs whose files it reads.
        recorded: Whether each of its instances has a row that says how long it took; otherwise
            the job has one instance, whose time is the job's.
    """

    name: str
    rule: str
    instances: Mapping[Instance, int]
    needs: tuple[str, ...] = ()
    recorded: bool = False


def single(name: str, effort: Effort, needs: Iterable[str] = (), rule: str | None = None) -> Job:
    """A job whose time is known as a whole; its rule is named as its folder, if not otherwise."""
    return Job(name, rule or _folder(name), {Instance((effort,)): 1}, tuple(needs))


def recorded(
    name: str, instances: Iterable[Instance], needs: Iterable[str] = (), rule: str | None = None
) -> Job:
    """A job whose instances are recorded one by one; its rule as in `single`."""
    needed = tuple(dict.fromkeys(needs))
    return Job(name, rule or _folder(name), Counter(instances), needed, recorded=True)


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.name or name


def label(chosen: Mapping[str, Any]) -> str:
    """A network as kinds name it: its architecture or file, and what it is trained against."""
    name = chosen["architecture"] or str(chosen["file"]).rpartition("/")[2].partition(".")[0]
    method = (chosen.get("defence") or {"method": "none"})["method"]
    defended = method != "none" and not chosen.get("file")
    return f"{name}, {method}" if defended else name


def training(chosen: Mapping[str, Any]) -> Effort:
    """Training a network from scratch, or taking it from a file."""
    if chosen.get("file"):
        return Effort(Kind("copying", label(chosen)))
    amount = chosen["training"]["epochs"] * training_images(chosen)
    return Effort(Kind("training", label(chosen)), amount)


def training_images(chosen: Mapping[str, Any]) -> int:
    """The images that a network is trained on."""
    return chosen.get("training_images") or COUNTS[chosen["dataset"]]["train"]


def test_images(chosen: NetworkSettings) -> int:
    """The images behind an accuracy."""
    return chosen["test_images"] or COUNTS[chosen["dataset"]]["test"]


def attack(network: str, distance: str, solver: str, formulation: str, bounds: str) -> Kind:
    """An exact attack, of whatever source."""
    return Kind("attack", network, distance, f"{solver}, {formulation}, {bounds}")


def visible_attack(network: str, method: str) -> Kind:
    """An attack whose visibility is measured, exact or not."""
    return Kind("visible attack", network, method)


def bounding(network: str, method: str) -> Kind:
    """Bounds of a whole network."""
    return Kind("bounds", network, method)


def verification(network: str, epsilon: float, variant: str) -> Kind:
    """A verification of one image."""
    return Kind("verification", network, f"{epsilon:.4g}", variant)


def answering(benchmark: str, solver: str) -> Kind:
    """An answer to a question of a benchmark."""
    return Kind("answer", benchmark, "", solver)


def projections(network: str, count: int, fixed_ratio: float, iterations: int) -> Effort:
    """The quadratic programs of a fine-tuning run."""
    return Effort(Kind("projections", network, f"{count}", f"fixed {fixed_ratio:g}"), iterations)


def passes(network: str, iterations: int, images: int) -> Effort:
    """Gradients and losses over the training images in a fine-tuning run."""
    return Effort(Kind("passes", network), iterations * images)


def evaluations(network: str, protocol: str, images: int) -> Effort:
    """Attacks on the test images, for each network that a fine-tuning run chooses."""
    return Effort(Kind("evaluations", network, "", protocol), images)


def retraining(network: str, method: str, epochs: int) -> Effort:
    """Training anew against something, to compare fine-tuning with."""
    return Effort(Kind("retraining", network, method), epochs)


def certified(network: str, epsilon: float, images: int, method: str) -> Effort:
    """Fine-tuning until images are proved robust, or what stands beside it."""
    return Effort(Kind("certified", network, f"{epsilon:g}, {images} images", method))


def proofs(network: str, epsilon: float, images: int) -> Effort:
    """Verifying images with new weights."""
    return Effort(Kind("proofs", network, f"{epsilon:g}"), images)
