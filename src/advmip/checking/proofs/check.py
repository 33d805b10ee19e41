"""The check of a proof: every leaf of its trees is bounded anew, from what the file keeps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmip.checking.proofs.enclosure import Enclosure, Indices, Stages
from advmip.checking.proofs.files import ProofFile, RegionFile
from advmip.checking.proofs.input_trees import InputTreeCheck
from advmip.checking.proofs.questions import (
    Asked,
    Question,
    asked_in_regions,
    check_same,
    check_sizes,
)
from advmip.checking.proofs.sign_nodes import has_nodes
from advmip.checking.proofs.sign_trees import SignTreeCheck
from advmip.errors import InputError
from advmip.networks.network import Network
from advmip.networks.staged import StagedNetwork
from advmip.networks.staging import staged
from advmip.threads import held_to


@dataclass(frozen=True)
class ProofCheck:
    """What the check of a proof came to.

    Attributes:
        question: What the proof is of.
        missing: The leaf that is not proved, in words; empty if all are.
        leaves: How many leaves were seen.
        processor_seconds: What it took.
    """

    question: Question
    missing: str
    leaves: int
    processor_seconds: float

    @property
    def proved(self) -> bool:
        """Whether the proof is one."""
        return not self.missing


def check_proof(
    path: Path, network: Network, question: Question | None = None, *, threads: int = 1
) -> ProofCheck:
    """Check a proof: bound every leaf of its trees anew, and see that the leaves cover the region.

    Args:
        path: The file.
        network: The network that it is about.
        question: What it should prove; that is taken from the file if left out.
        threads: Of the linear algebra.

    Raises:
        InputError: The file is no proof or is damaged, holds a number out of its range, or is
            about another network or question.
    """
    begun = time.process_time()
    with held_to(threads), ProofFile(path) as file:
        if file.digest != network.digest:
            raise InputError(
                subject=f"network of proof {path}",
                found=f"digest {network.digest[:16]}",
                expected=file.digest[:16],
                mend="name the network that the proof was written for",
            )
        form = staged(network)
        if question is not None:
            check_same(file.question, question, str(path))
        check_sizes(file.question, form.pixels, form.classes, str(path))
        regions = asked_in_regions(file.question, form.classes)
        if file.regions != len(regions):
            raise file.damaged(f"{file.regions} regions of {len(regions)}")
        leaves, missing = 0, ""
        stages = Stages(form)
        for number, asked in enumerate(regions):
            missing, seen = _unproved(form, stages, asked, file.region(number))
            leaves += seen
            if missing:
                missing = f"{missing} in region {number}" if len(regions) > 1 else missing
                break
        return ProofCheck(file.question, missing, leaves, time.process_time() - begun)


def _unproved(
    form: StagedNetwork, stages: Stages, asked: Asked, file: RegionFile
) -> tuple[str, int]:
    """What of a region is not proved, in words, empty if nothing is; and how many leaves it has."""
    alive, places = _alive(form, stages, asked)
    stages = stages if alive is form else Stages(alive)
    base = Enclosure(stages, asked.region)
    base.by_usual_forms()
    excluded = _excluded(base, asked)
    if "cuts" in file:
        inputs = InputTreeCheck(stages, asked, excluded, places, file)
        return inputs.unproved(), inputs.leaves
    if has_nodes(file):
        signs = SignTreeCheck(stages, asked, base, excluded, places, file)
        return signs.unproved(), signs.leaves
    for case in np.flatnonzero(~excluded):
        return f"the only leaf leaves case {case} open", 1
    return "", 1


def _excluded(base: Enclosure, asked: Asked) -> NDArray[np.bool_]:
    """The cases (cases,) that forms or intervals exclude in the whole region."""
    least = base.conditions(asked.inside, asked.outside, asked.constant)[0]
    outputs = base.interval(len(base.sides))
    by_intervals = base.of_intervals(asked.inside, asked.outside, asked.constant, outputs)[0]
    excluded = np.zeros(asked.cases, bool)
    excluded[asked.case_of[np.maximum(least, by_intervals) > 0]] = True
    return excluded


def _alive(
    form: StagedNetwork, stages: Stages, asked: Asked
) -> tuple[StagedNetwork, list[Indices]]:
    """A network without neurons that intervals show to be never active.

    Returns:
        It, and of each layer where its neurons are then; -1 for those that are gone.
    """
    enclosure = Enclosure(stages, asked.region)
    kept = []
    for depth in range(len(form.hidden)):
        enclosure.sides.append(enclosure.interval(depth))
        kept.append(np.flatnonzero(enclosure.sides[-1].upper[0] > 0))
    places = [np.full(stage.width, -1) for stage in form.hidden]
    for each, alive in zip(places, kept, strict=True):
        each[alive] = np.arange(len(alive))
    return form.keeping(kept), places
