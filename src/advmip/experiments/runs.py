"""Which fine-tuning runs a scale sets out to do, and how they are dealt out to jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from advmip.errors import InputError
from advmip.settings import Protocol, Settings, Shards, shards_of

PROTOCOL_NAMES: tuple[Protocol, ...] = ("published", "described")


@dataclass(frozen=True)
class Run:
    """One fine-tuning run.

    Attributes:
        protocol: How attacks are run.
        seed: Of attacks, augmentation and Algorithm 2.
        adversarial_count: |X_adv|.
        attacked_images: How many of the first training images the adversarial set is from; None
            for the number that the network's settings give.
        radius: Of the strengthened cut (18).
    """

    protocol: Protocol
    seed: int
    adversarial_count: int
    attacked_images: int | None
    radius: float


def parts_of(settings: Settings, experiment: str, paper_network: str) -> list[list[Run]]:
    """The runs of an experiment on a network of the paper, one list for each job.

    Runs that share an adversarial set stand together. The list is empty where the scale leaves
    the experiment out.
    """
    shards = shards_of(settings, experiment, paper_network)
    if shards is None:
        return []
    runs = _runs(settings["seed"] + shards["first_seed"], shards)
    size = shards["runs_per_job"]
    return [runs[start : start + size] for start in range(0, len(runs), size)]


def part_of(settings: Settings, experiment: str, paper_network: str, part: int) -> list[Run]:
    """The runs of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    parts = parts_of(settings, experiment, paper_network)
    if not 0 <= part < len(parts):
        raise InputError(
            subject=f"part {part} of experiment {experiment} on {paper_network}",
            found=f"{len(parts)} parts at scale {settings['scale']}",
            expected=f"an entry under zk.experiments.{experiment}, and a part from 0 on",
            mend="choose another experiment, network or part, or add the entry to the scale",
        )
    return parts[part]


def adversarial_file(
    folder: Path,
    paper_network: str,
    protocol: Protocol,
    seed: int,
    attacked_images: int | None = None,
) -> Path:
    """Where the adversarial set of a network, protocol, seed and number of images lies."""
    part = "" if attacked_images is None else f"-first{attacked_images}"
    return folder / f"{paper_network}-{protocol}-{seed}{part}.npz"


def _runs(first_seed: int, shards: Shards) -> list[Run]:
    return [
        Run(protocol, first_seed + number, count, images, radius)
        for protocol in PROTOCOL_NAMES
        for number in range(shards["seeds"][protocol])
        for images in shards["attacked_images"]
        for count, radius in product(shards["adversarial_counts"], shards["radii"])
    ]
