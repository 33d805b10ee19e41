"""What Zhao & Kronqvist's networks and rows are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard
from advmip.experiments.zhao_kronqvist.certified_instances import (
    EXPERIMENTS,
    PROOFS,
    REPAIRS,
    certified_shards_of,
)
from advmip.experiments.zhao_kronqvist.instances import (
    Attack,
    adversarial_folder,
    shard_of,
    shards_of,
)
from advmip.provenance import EXACT
from advmip.settings import Settings

_ACCURACIES = (
    *("datasets", "experiments.data", "experiments.zhao_kronqvist.classifier"),
    *("experiments.zhao_kronqvist.columns", "gradient_attacks", "margins", "networks"),
)
_RETRAINING = (*_ACCURACIES, "experiments.defences", "experiments.zhao_kronqvist.retraining")
_PROVING = (
    *_ACCURACIES,
    *("certified_finetuning", "checking", "experiments.ball_attacks"),
    *("experiments.zhao_kronqvist.certified_instances", "experiments.zhao_kronqvist.proving"),
    *("experiments.zhao_kronqvist.proved_shares", "finetuning", *EXACT),
)
# What decides the results of each kind of job, as in `code_digest`.
CODE = {
    "initial": (*_ACCURACIES, "experiments.zhao_kronqvist.attacks", "finetuning"),
    "adversarial_sets": _ACCURACIES,
    "finetuning": (
        *_ACCURACIES,
        *("checking.finetuned", "experiments.zhao_kronqvist.finetuning", "finetuning"),
    ),
    PROOFS: (*_PROVING, "experiments.zhao_kronqvist.certified"),
    REPAIRS: (*_PROVING, "experiments.zhao_kronqvist.repairs"),
    "added_data": _RETRAINING,
    "adversarial_training": _RETRAINING,
}
_KINDS = {
    "initial": ("evaluations", "timings"),
    "added_data": ("evaluations",),
    "adversarial_training": ("evaluations",),
}
CERTIFIED_KINDS = ("robustness",)
FINETUNING_KINDS = ("evaluations", "iterations", "pool")


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """The paper's networks: trained here, or the released ones."""
    return {
        name: NetworkRecipe(
            architecture=chosen["architecture"],
            dataset=chosen["dataset"],
            training=chosen["training"],
            weights=f"{chosen['architecture']}.safetensors",
            released=settings["weights"] == "released",
        )
        for name, chosen in settings["networks"].items()
    }


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has, as in `Catalogue`."""
    if experiment in EXPERIMENTS:
        jobs = len(certified_shards_of(settings, experiment, network))
        return _numbered(experiment, network, jobs, CERTIFIED_KINDS)
    if network not in settings["networks"]:
        return []
    if experiment in _KINDS:
        return [Shard(f"zk/{experiment}/{network}", _KINDS[experiment])]
    jobs = len(shards_of(settings, experiment, network))
    return _numbered(experiment, network, jobs, FINETUNING_KINDS)


def adversarial_sets(settings: Settings, network: str, attacks: Iterable[Attack]) -> list[str]:
    """The folders in which the sets of some attacks lie, below that of all adversarial sets."""
    folders = (adversarial_folder(settings, Path(), network, attack) for attack in attacks)
    return list(dict.fromkeys(map(str, folders)))


def sets_of_shard(settings: Settings, experiment: str, network: str, shard: int) -> list[str]:
    """The adversarial sets, as in `adversarial_sets`, that the runs of one job start from."""
    runs = shard_of(settings, experiment, network, shard)
    return adversarial_sets(settings, network, [run.attack for run in runs])


def _numbered(experiment: str, network: str, jobs: int, kinds: tuple[str, ...]) -> list[Shard]:
    return [Shard(f"zk/{experiment}/{network}-{number}", kinds) for number in range(jobs)]
