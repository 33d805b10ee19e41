"""Which attacks a scale sets out to do, and how they are dealt out to jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from advmip.experiments.parts import chosen_part, dealt_out
from advmip.settings import ExactAttacks, Settings

# Classes of the thesis's data.
CLASSES = 10
# Bounds of a network that are computed once, in a job of their own.
STORED_BOUNDS = ("lp", "weaker", "exact")


@dataclass(frozen=True)
class Question:
    """One attack: which image, and by which distance.

    Attributes:
        rank: Which of the test images that the network classifies correctly, from 0.
        distance: The distance's name.
        label: The class whose images are counted; None for all.
    """

    rank: int
    distance: str
    label: int | None = None


def attacks_of(settings: Settings, experiment: str, paper_network: str) -> ExactAttacks | None:
    """The attacks on a network in an experiment, or None where the scale has none."""
    return settings["zhu"]["experiments"].get(experiment, {}).get(paper_network)


def parts_of(settings: Settings, experiment: str, paper_network: str) -> list[list[Question]]:
    """The attacks of an experiment on a network, one list for each job; none if left out."""
    chosen = attacks_of(settings, experiment, paper_network)
    if chosen is None:
        return []
    labels = range(CLASSES) if chosen["of_each_class"] else [None]
    choices = product(chosen["distances"], labels, range(chosen["images"]))
    questions = [Question(rank, distance, label) for distance, label, rank in choices]
    return dealt_out(questions, chosen["attacks_per_job"])


def part_of(settings: Settings, experiment: str, paper_network: str, part: int) -> list[Question]:
    """The attacks of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    parts = parts_of(settings, experiment, paper_network)
    what = f"experiment {experiment} on {paper_network}"
    return chosen_part(parts, part, what, settings["scale"])
