"""`advmip curve`: the accuracy of networks against the radius, from proved nearest attacks."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from advmip.durability.storage import check_writable
from advmip.errors import CheckError, InputError, in_a_line
from advmip.extras import EXTRAS, require
from advmip.mip import Attack
from advmip.mip.solvers import Status
from advmip.questions.accuracy import AccuracyCurve, accuracy_curve
from advmip.questions.answers import Failure, answers
from advmip.questions.asking import Asked, Batch, list_images, say
from advmip.questions.nearest_attack import NearestAttack
from advmip.questions.question import Task

_NETWORKS = (".onnx", ".onnx.gz", ".safetensors")
_ARCHIVE = ".npz"


def accuracy_curves(
    networks: Sequence[Path], asked: Asked, out: Path, *, layout: str | None = None, **how: Any
) -> list[Failure]:
    """Draw the accuracy of networks against the radius, and write what is drawn.

    An image that cannot be used, or whose answer fails its check, is named and left out.

    Args:
        networks: The networks' files.
        asked: The images, and how they are worked on; the journal is by default beside the figure.
        out: Where to write, with or without suffix: PNG, PDF and CSV.
        layout: What the axes of the networks' inputs mean, as `load_network` takes it.
        how: The other arguments of `minimal_attack`.

    Returns:
        What went wrong.

    Raises:
        InputError: A network cannot be read, an argument is wrong, no image can be used, or what
            draws figures is not installed.
    """
    require(*EXTRAS["figures"], subject="drawing of accuracy curves")
    from advmip.reporting.accuracy_curves import curves_data, draw_curves
    from advmip.reporting.figure_files import SUFFIXES, save_figure

    stem = out.with_suffix("") if out.suffix in SUFFIXES else out
    for suffix in SUFFIXES:
        check_writable(stem.with_name(stem.name + suffix))
    journal = asked.journal or stem.with_name(f"{stem.name}.jsonl")
    failures = stem.parent / "failures"
    tasks = [Task(NearestAttack, file, layout, failures, how) for file in networks]
    questions = [task.question() for task in tasks]
    curves: dict[str, AccuracyCurve] = {}
    failed: list[Failure] = []
    for name, task, question in zip(_names(networks), tasks, questions, strict=True):
        images = list_images(question, asked)
        batch: Batch[Attack | None] = Batch([], [])
        found = answers(task, question, images, journal, asked.jobs)
        for each, answer in zip(images, found, strict=True):
            if isinstance(answer, InputError | CheckError):
                say(f"{name}, {each.name}: failed, {in_a_line(answer)}")
                batch.failures.append(answer)
            else:
                batch.answers.append(answer)
        if not batch.answers:
            raise batch.failures[0]
        curves[name] = accuracy_curve(batch.answers)
        failed += batch.failures
        say(f"{name}: {_summary(batch, curves[name])}")
    figure = draw_curves(curves, str(questions[0].how["distance"]))
    files = save_figure(figure, curves_data(curves), stem)
    say(f"written: {', '.join(map(str, files))}")
    return failed


def networks_and_images(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The networks that are named first, and the images behind them.

    Args:
        names: A network's file, perhaps others, and images.

    Raises:
        InputError: There are no images.
    """
    count = 1
    while count < len(names) and _is_network(names[count]):
        count += 1
    if count >= len(names):
        raise InputError(
            subject="accuracy curve",
            found=f"no images, but {', '.join(names) or 'nothing'}",
            expected="networks, then images, such as net.onnx mnist:0-99",
            mend="name images behind the networks",
        )
    return [Path(name) for name in names[:count]], list(names[count:])


def _is_network(name: str) -> bool:
    """Whether a file is a network; an archive is unless it holds images."""
    if not name.endswith(_ARCHIVE):
        return name.endswith(_NETWORKS)
    try:
        with np.load(name, allow_pickle=False) as archive:
            return "images" not in archive.files
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        return False


def _names(networks: Sequence[Path]) -> list[str]:
    """What networks are called: by their files without suffix, and the folders that they need."""
    bare = [file.with_name(file.name.removesuffix(".gz")).with_suffix("") for file in networks]
    names = [file.name for file in bare]
    for depth in range(2, max(len(file.parts) for file in bare) + 1):
        if len(set(names)) == len(names):
            break
        names = ["/".join(file.parts[-depth:]) for file in bare]
    return names


def _summary(batch: Batch[Attack | None], curve: AccuracyCurve) -> str:
    """What a curve rests on."""
    attacks = [attack for attack in batch.answers if attack is not None]
    decided = sum(attack.status in (Status.OPTIMAL, Status.INFEASIBLE) for attack in attacks)
    left_out = f", {len(batch.failures)} left out" if batch.failures else ""
    return (
        f"{len(batch.answers)} images{left_out}; clean accuracy {curve.upper[0]:.4g} %; "
        f"{decided} of {len(attacks)} nearest attacks proved; "
        f"{sum(attack.seconds for attack in attacks):.1f} s"
    )
