"""Which fine-tuning runs a scale sets out to do, and how they are divided among jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from advmip.experiments.shards import chosen_shard, chunked
from advmip.finetuning_settings import FinetuningRuns, Protocol
from advmip.settings import Settings, finetuning_runs_of

PROTOCOL_NAMES: tuple[Protocol, ...] = ("published", "described")


@dataclass(frozen=True)
class Attack:
    """One attack on training images, which an adversarial set comes of.

    Attributes:
        protocol: How it is run.
        seed: Of its random start, and of the augmentation.
        attacked_images: How many of the first training images; None for the number that the
            network's settings give.
    """

    protocol: Protocol
    seed: int
    attacked_images: int | None = None

    @property
    def file_name(self) -> str:
        """The name of the set's file."""
        images = "" if self.attacked_images is None else f"-first{self.attacked_images}"
        return f"{self.protocol}-{self.seed}{images}.npz"


@dataclass(frozen=True)
class Run:
    """One fine-tuning run.

    Attributes:
        attack: What its adversarial set comes of; its protocol and seed are the run's too.
        adversarial_count: |X_adv|.
        radius: Of the strengthened cut (18).
    """

    attack: Attack
    adversarial_count: int
    radius: float


def shards_of(settings: Settings, experiment: str, paper_network: str) -> list[list[Run]]:
    """The runs of an experiment on a network of the paper, one list for each job.

    Runs that share an adversarial set stand together. The list is empty where the scale leaves
    the experiment out.
    """
    chosen = finetuning_runs_of(settings, experiment, paper_network)
    if chosen is None:
        return []
    runs = _runs(settings["seed"] + chosen["first_seed"], chosen)
    return chunked(runs, chosen["runs_per_job"])


def shard_of(settings: Settings, experiment: str, paper_network: str, shard: int) -> list[Run]:
    """The runs of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    runs = shards_of(settings, experiment, paper_network)
    what = f"experiment {experiment} on {paper_network}"
    return chosen_shard(runs, shard, what, settings["scale"])


def attacks_of(settings: Settings, paper_network: str) -> list[list[Attack]]:
    """The attacks that the runs on a network of the paper start from, one list for each job."""
    size = settings["networks"][paper_network]["attacks_per_job"]
    return chunked(list(_counts(settings, paper_network)), size)


def attacks_of_shard(settings: Settings, paper_network: str, shard: int) -> list[Attack]:
    """The attacks of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    shards = attacks_of(settings, paper_network)
    return chosen_shard(shards, shard, f"attacks on {paper_network}", settings["scale"])


def largest_count(settings: Settings, paper_network: str, attack: Attack) -> int:
    """The most adversarial examples that any run asks of an attack."""
    return max(_counts(settings, paper_network)[attack])


def first_attacks(settings: Settings) -> list[Attack]:
    """The attacks at the first seed, one under each protocol."""
    return [Attack(protocol, settings["seed"]) for protocol in PROTOCOL_NAMES]


def adversarial_folder(
    settings: Settings, folder: Path, paper_network: str, attack: Attack
) -> Path:
    """The folder, one for each job, in which the adversarial set of an attack lies."""
    shards = attacks_of(settings, paper_network)
    (shard,) = (number for number, attacks in enumerate(shards) if attack in attacks)
    return folder / f"{paper_network}-{shard}"


def _counts(settings: Settings, paper_network: str) -> dict[Attack, list[int]]:
    """The numbers of adversarial examples that runs ask of each attack on a network."""
    retraining = settings["networks"][paper_network]["retraining"]["adversarial_count"]
    counts = {attack: [retraining] for attack in first_attacks(settings)}
    for experiment in settings["zk"]["experiments"]:
        for runs in shards_of(settings, experiment, paper_network):
            for run in runs:
                counts.setdefault(run.attack, []).append(run.adversarial_count)
    return counts


def _runs(first_seed: int, chosen: FinetuningRuns) -> list[Run]:
    return [
        Run(Attack(protocol, first_seed + number, images), count, radius)
        for protocol in PROTOCOL_NAMES
        for number in range(chosen["seeds"][protocol])
        for images in chosen["attacked_images"]
        for count, radius in product(chosen["adversarial_counts"], chosen["radii"])
    ]
