"""Which attacks a scale sets out to do, and how they are dealt out to jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from advmip.errors import InputError
from advmip.settings import ExactAttacks, Settings

# Bounds of a network that are computed once, in a job of their own.
STORED_BOUNDS = ("lp", "weaker", "exact")


@dataclass(frozen=True)
class Question:
    """One attack: which image, and by which distance.

    Attributes:
        rank: Which of the test images that the network classifies correctly, from 0.
        distance: The distance's name.
    """

    rank: int
    distance: str


def attacks_of(settings: Settings, experiment: str, paper_network: str) -> ExactAttacks | None:
    """The attacks on a network in an experiment, or None where the scale has none."""
    return settings["zhu"]["experiments"].get(experiment, {}).get(paper_network)


def parts_of(settings: Settings, experiment: str, paper_network: str) -> list[list[Question]]:
    """The attacks of an experiment on a network, one list for each job; none if left out."""
    chosen = attacks_of(settings, experiment, paper_network)
    if chosen is None:
        return []
    pairs = product(chosen["distances"], range(chosen["images"]))
    questions = [Question(rank, distance) for distance, rank in pairs]
    size = chosen["attacks_per_job"]
    return [questions[start : start + size] for start in range(0, len(questions), size)]


def part_of(settings: Settings, experiment: str, paper_network: str, part: int) -> list[Question]:
    """The attacks of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    parts = parts_of(settings, experiment, paper_network)
    if not 0 <= part < len(parts):
        raise InputError(
            subject=f"part {part} of experiment {experiment} on {paper_network}",
            found=f"{len(parts)} parts at scale {settings['scale']}",
            expected="a part from 0 on, of something that the scale does not leave out",
            mend="choose another part, or add the entry to the scale",
        )
    return parts[part]
