"""Which attacks a scale sets out to do, and how they are divided among jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from advmip.experiments.shards import chosen_shard, chunked, images_of
from advmip.settings import ExactAttacks, Settings

# Classes of the thesis's data.
CLASSES = 10
# Bounds of a network that are computed once, in a job of their own.
STORED_BOUNDS = ("lp", "weaker", "exact")
# The experiments of adversarial training (Section 5.4): examples to train on and to test on, and
# attacks on the networks that were trained anew.
TRAINING_EXAMPLES, TEST_EXAMPLES, RETRAINED = "training_examples", "test_examples", "retrained"
# What the control is trained on: the training images alone.
NO_EXAMPLES = "none"
# All networks trained anew share initial weights, which are not those of the attacked network:
# with its own, a control without examples would be that network again.
RETRAINING_SEED_SHIFT = 1


class Instance(NamedTuple):
    """One attack: which image, and by which distance.

    Attributes:
        rank: Which of the images that the network as first trained classifies correctly, from 0.
        distance: The distance's name.
        label: The class whose images are counted; None for all.
        trained_on: The distance of the examples that the attacked network was trained anew on;
            `NO_EXAMPLES` for the control, None for the network as first trained.
    """

    rank: int
    distance: str
    label: int | None = None
    trained_on: str | None = None


def attacks_of(settings: Settings, experiment: str, paper_network: str) -> ExactAttacks | None:
    """The attacks on a network in an experiment, or None where the scale has none."""
    return settings["zhu"]["experiments"].get(experiment, {}).get(paper_network)


def shards_of(settings: Settings, experiment: str, paper_network: str) -> list[list[Instance]]:
    """The attacks of an experiment on a network, one list for each job; none if left out.

    The attacks of a job are all on the same network: as first trained, or one trained anew.
    """
    chosen = attacks_of(settings, experiment, paper_network)
    if chosen is None:
        return []
    networks: list[str | None] = [None]
    if experiment == RETRAINED:
        networks = [*retrainings(settings, paper_network)]
    labels = range(CLASSES) if chosen["of_each_class"] else [None]
    return [
        shard
        for trained_on in networks
        for shard in chunked(
            [
                Instance(rank, distance, label, trained_on)
                for distance in chosen["distances"]
                for label, rank in product(labels, range(images_of(chosen, distance)))
            ],
            chosen["attacks_per_job"],
        )
    ]


def shard_of(settings: Settings, experiment: str, paper_network: str, shard: int) -> list[Instance]:
    """The attacks of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    shards = shards_of(settings, experiment, paper_network)
    what = f"experiment {experiment} on {paper_network}"
    return chosen_shard(shards, shard, what, settings["scale"])


def split_of(experiment: str) -> str:
    """The split whose images an experiment attacks."""
    return "train" if experiment == TRAINING_EXAMPLES else "test"


def retrainings(settings: Settings, paper_network: str) -> list[str]:
    """What a network is trained anew on: examples of one distance each, and none.

    The list is empty where the scale makes no examples to train on.
    """
    chosen = attacks_of(settings, TRAINING_EXAMPLES, paper_network)
    return [] if chosen is None else [*chosen["distances"], NO_EXAMPLES]


def examples_added(settings: Settings, paper_network: str, trained_on: str | None) -> int:
    """How many examples are added to the training images of a network."""
    chosen = attacks_of(settings, TRAINING_EXAMPLES, paper_network)
    return 0 if chosen is None or trained_on in (None, NO_EXAMPLES) else chosen["images"]
