"""Which verifications a scale sets out to do, and how they are divided among jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from advmip.errors import looked_up
from advmip.experiments.shards import chosen_shard, chunked
from advmip.experiments.zhao_kronqvist.instances import Attack
from advmip.settings import Settings

# Our own way, and the published one (intervals, linear, then mixed-integer programs) with all of
# its optimisations and without one of them.
WHOLE, CONTROL = "whole", "control"
WITHOUT = ("without_progressive", "without_ball", "without_tight")
# A network of Zhao & Kronqvist before and after its fine-tuning, both verified in our own way.
BEFORE, AFTER = "before", "after"
ABLATION, FINETUNED = "ablation", "finetuned"


class Instance(NamedTuple):
    """One verification.

    Attributes:
        paper_network: The network's name in the settings.
        epsilon: The radius.
        variant: `WHOLE`, `CONTROL` or one of `WITHOUT`; `BEFORE` or `AFTER` fine-tuning.
        image: Which test image, from 0.
    """

    paper_network: str
    epsilon: float
    variant: str
    image: int

    @property
    def network(self) -> tuple[str, bool]:
        """The network that it is about, and whether it is the fine-tuned one."""
        return self.paper_network, self.variant == AFTER


def variants_of(experiment: str) -> tuple[str, ...]:
    """The ways in which an experiment verifies, or the networks that it compares."""
    if experiment == FINETUNED:
        return BEFORE, AFTER
    return (CONTROL, *WITHOUT, WHOLE) if experiment == ABLATION else (WHOLE,)


def shards_of(settings: Settings, experiment: str) -> list[list[Instance]]:
    """The verifications of an experiment, one list for each job; none if left out."""
    instances = [
        Instance(paper_network, epsilon, variant, image)
        for paper_network, chosen in settings["tjeng"]["experiments"].get(experiment, {}).items()
        for epsilon, image, variant in product(
            chosen["epsilons"], range(chosen["images"]), variants_of(experiment)
        )
    ]
    return chunked(instances, settings["tjeng"]["verifications_per_job"])


def shard_of(settings: Settings, experiment: str, shard: int) -> list[Instance]:
    """The verifications of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    shards = shards_of(settings, experiment)
    return chosen_shard(shards, shard, f"experiment {experiment}", settings["scale"])


def finetuned_on(settings: Settings) -> Attack:
    """The attack whose adversarial set a network is fine-tuned on before it is verified."""
    return Attack("described", settings["seed"])


def origin_of(settings: Settings, paper_network: str) -> str:
    """The network whose weights a network of the poster has: itself, unless it is another's."""
    chosen = settings["tjeng"]["networks"].get(paper_network)
    return paper_network if chosen is None else chosen["same_as"] or paper_network


def settings_of(settings: Settings, paper_network: str) -> Mapping[str, Any]:
    """The settings of a network that is verified, or of the one whose weights it shares.

    Raises:
        InputError: There is none of that name, neither of the poster nor of Zhao & Kronqvist.
    """
    networks: dict[str, Any] = {**settings["tjeng"]["networks"], **settings["networks"]}
    return looked_up("network", origin_of(settings, paper_network), networks)


def name_of(settings: Settings, paper_network: str) -> str:
    """What rows call a network that is verified: an architecture, or a file without its suffix."""
    chosen = settings_of(settings, paper_network)
    return chosen["architecture"] or Path(chosen["file"]).stem


def datasets_of(settings: Settings, experiment: str) -> list[str]:
    """The data sets whose images an experiment verifies."""
    networks = settings["tjeng"]["experiments"][experiment]
    return list(dict.fromkeys(settings_of(settings, name)["dataset"] for name in networks))
