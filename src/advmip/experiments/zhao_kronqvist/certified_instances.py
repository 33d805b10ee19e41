"""Which runs a scale sets out to do until images are proved robust, and what stands beside them.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from advmip.errors import unknown_name
from advmip.experiments.shards import chosen_shard, chunked
from advmip.finetuning_settings import CertifiedRuns, Protocol, RepairRuns
from advmip.settings import Settings

# Extension 4: images that the network knows are made robust, and test images are verified.
# Extension 5: images that it gets wrong are made right and robust.
PROOFS, REPAIRS = "extension4", "extension5"
EXPERIMENTS = (PROOFS, REPAIRS)
# Balls are in pixels and inside [0, 1], as the paper's text has its attacks.
PROTOCOL: Protocol = "described"

INITIAL, CERTIFICATES = "initial", "certificates"
POINTS, PGD_POINTS, LINEAR_BOUNDS = "points", "pgd_points", "linear_bounds"
GRADIENT, GRADIENT_WITH_TRAINING = "gradient", "gradient_with_training"
LAST_LAYER_L1, LAST_LAYER_LINF = "last_layer_l1", "last_layer_linf"

MISCLASSIFIED, FOG = "misclassified", "fog"


class CertifiedRun(NamedTuple):
    """One way to make a network robust at some training images, or the network as it is.

    Attributes:
        epsilon: The radius of the balls around images.
        images: How many training images; 0 for the network as it is.
        seed: Which ones, and the seed of what is random.
        method: "initial"; "certificates" or "points", what `robustify` cuts at; "pgd_points",
            Algorithm 1 with as many; "linear_bounds", descent on those for as long as the
            certificates took; "gradient" and "gradient_with_training", descent on the loss at the
            images, and at training images too; "last_layer_l1" and "last_layer_linf", the linear
            program of the last layer.
        task: Of a repair, which images the network gets wrong: "misclassified" ones as they are, or
            ones in "fog".
    """

    epsilon: float
    images: int
    seed: int
    method: str
    task: str | None = None


def certified_runs_of(
    settings: Settings, experiment: str
) -> Mapping[str, CertifiedRuns] | Mapping[str, RepairRuns]:
    """The settings of an experiment's runs, by network.

    Raises:
        InputError: There is no such experiment.
    """
    if experiment not in EXPERIMENTS:
        raise unknown_name("experiment", experiment, EXPERIMENTS)
    return settings["zk"]["certified" if experiment == PROOFS else "repair"]


def network_settings(settings: Settings, experiment: str, paper_network: str) -> Mapping[str, Any]:
    """The settings of a network that an experiment starts from: the paper's, or a published one."""
    if experiment == PROOFS:
        return settings["networks"][paper_network]
    return settings["benmhenni"]["networks"][paper_network]


def certified_shards_of(
    settings: Settings, experiment: str, paper_network: str
) -> list[list[CertifiedRun]]:
    """The runs on a network, one list for each job; none where the scale has none.

    All that is done with the same training images stands together.
    """
    chosen: Mapping[str, Any] | None = certified_runs_of(settings, experiment).get(paper_network)
    if chosen is None:
        return []
    first = settings["seed"]
    tasks = chosen.get("tasks", [None])
    groups = [
        [CertifiedRun(epsilon, 0, first, INITIAL, task)]
        for task, epsilon in product(tasks, chosen["epsilons"])
    ]
    groups += [
        [
            CertifiedRun(epsilon, images, seed, each, task)
            for each in (CERTIFICATES, *chosen["beside"])
        ]
        for task, epsilon, images in product(tasks, chosen["epsilons"], chosen["image_counts"])
        for seed in range(first, first + chosen["seeds"])
    ]
    return [
        [run for group in groups_of_job for run in group]
        for groups_of_job in chunked(groups, chosen["runs_per_job"])
    ]


def certified_shard_of(
    settings: Settings, experiment: str, paper_network: str, shard: int
) -> list[CertifiedRun]:
    """The runs of one job.

    Raises:
        InputError: There is no such experiment, or no such job at this scale.
    """
    shards = certified_shards_of(settings, experiment, paper_network)
    what = f"experiment {experiment} on {paper_network}"
    return chosen_shard(shards, shard, what, settings["scale"])
