"""`advmip check-proof`: proofs and networks in files, checked and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from advmip.checking.proofs import BallQuestion, ProofCheck, check_proof
from advmip.checking.proofs.files import ProofFile
from advmip.checking.proofs.questions import Question
from advmip.errors import CheckError, InputError, in_a_line
from advmip.memory import keep_freed_memory
from advmip.networks import Network, load_network
from advmip.properties import load_property
from advmip.questions.labelled_images import Unusable, labelled_images
from advmip.threads import use_threads
from advmip.verifying_properties import VNNLIB


def check_files(
    proofs: Sequence[Path],
    network_file: Path | None = None,
    asked: str | None = None,
    layout: str | None = None,
    data_dir: Path | None = None,
) -> list[InputError | CheckError]:
    """Check proofs, and print a line for each.

    Args:
        proofs: The files.
        network_file: The network; if left out, the file that a proof names, where it is named or
            beside the proof.
        asked: What is to be proved: a property (.vnnlib), or an image as `advmip verify` takes it.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        data_dir: Where the files of data sets are; by default the user's cache.

    Returns:
        What went wrong with those that are no proofs, or cannot be used.
    """
    use_threads(1)
    keep_freed_memory()
    failures: list[InputError | CheckError] = []
    for path in proofs:
        try:
            with ProofFile(path) as file:
                network = load_network(network_file or _named(path, file), layout)
                stated = None if asked is None else _stated(asked, file, network, data_dir)
            found = check_proof(path, network, stated)
            print(f"{path}: {_line(found)}", flush=True)
            if not found.proved:
                failures.append(CheckError(f"{path} is no proof: {found.missing}"))
        except InputError as error:
            print(f"{path}: failed, {in_a_line(error)}", flush=True)
            failures.append(error)
    return failures


def _named(path: Path, file: ProofFile) -> Path:
    """The file of the network that a proof names."""
    named = Path(file.network_file)
    beside = path.parent / named.name
    if not file.network_file or not (named.is_file() or beside.is_file()):
        raise InputError(
            subject=f"network of proof {path}",
            found=f"no file {named}" if file.network_file else "no name",
            expected="the network that the proof is about",
            mend="name it: --network net.onnx",
        )
    return named if named.is_file() else beside


def _stated(asked: str, file: ProofFile, network: Network, data_dir: Path | None) -> Question:
    """The question that is stated; an image stands for the proof's ball around it."""
    if asked.endswith(VNNLIB):
        return load_property(Path(asked))
    ball = file.question
    if not isinstance(ball, BallQuestion):
        raise InputError(
            subject=f"question {asked}",
            found="an image",
            expected="a property, as the proof is of one",
            mend="name the property (.vnnlib)",
        )
    every = list(labelled_images(network, [asked], None, data_dir))
    if len(every) != 1:
        raise InputError(
            subject=f"question {asked}",
            found=f"{len(every)} images",
            expected="the one that the proof is about",
            mend="name one image, such as mnist:3",
        )
    (named,) = every
    if isinstance(named, Unusable):
        raise named.error
    pixels = np.ravel(network.layout.own(np.asarray(named.image))).astype(np.float64)
    return replace(ball, image=pixels, label=named.label)


def _line(found: ProofCheck) -> str:
    """What a check came to."""
    if not found.proved:
        return f"not proved, {found.missing}"
    question = found.question
    of = question.in_words if isinstance(question, BallQuestion) else question.name
    return f"proved, {of}; leaves {found.leaves}, {found.processor_seconds:.2f} s"
