"""Which runs a scale sets out to do until images are proved robust, and what stands beside them.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from advmip.experiments.shards import chosen_shard, chunked
from advmip.finetuning_settings import Protocol
from advmip.settings import Settings

EXPERIMENT = "extension4"
# Balls are in pixels and inside [0, 1], as the paper's text has its attacks.
PROTOCOL: Protocol = "described"

INITIAL, CERTIFICATES = "initial", "certificates"
POINTS, PGD_POINTS, LINEAR_BOUNDS = "points", "pgd_points", "linear_bounds"


class CertifiedRun(NamedTuple):
    """One way to make a network robust at some training images, or the network as it is.

    Attributes:
        epsilon: The radius of the balls around images.
        images: How many training images; 0 for the network as it is.
        seed: Which ones, and the seed of what is random.
        method: "initial"; "certificates" or "points", what `robustify` cuts at; "pgd_points",
            Algorithm 1 with as many; "linear_bounds", descent on those for as long as the
            certificates took.
    """

    epsilon: float
    images: int
    seed: int
    method: str


def certified_shards_of(settings: Settings, paper_network: str) -> list[list[CertifiedRun]]:
    """The runs on a network of the paper, one list for each job; none where the scale has none.

    All that is done with the same training images stands together.
    """
    chosen = settings["zk"]["certified"].get(paper_network)
    if chosen is None:
        return []
    first = settings["seed"]
    groups = [[CertifiedRun(epsilon, 0, first, INITIAL)] for epsilon in chosen["epsilons"]]
    groups += [
        [CertifiedRun(epsilon, images, seed, each) for each in (CERTIFICATES, *chosen["beside"])]
        for epsilon, images in product(chosen["epsilons"], chosen["image_counts"])
        for seed in range(first, first + chosen["seeds"])
    ]
    return [
        [run for group in groups_of_job for run in group]
        for groups_of_job in chunked(groups, chosen["runs_per_job"])
    ]


def certified_shard_of(settings: Settings, paper_network: str, shard: int) -> list[CertifiedRun]:
    """The runs of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    shards = certified_shards_of(settings, paper_network)
    what = f"experiment {EXPERIMENT} on {paper_network}"
    return chosen_shard(shards, shard, what, settings["scale"])
