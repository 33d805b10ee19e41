"""Verification of images of the user's own, or of a data set: a line each, and a summary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.datasets import load_dataset
from advmip.datasets.image_files import read_image
from advmip.errors import CheckError, InputError
from advmip.mip.verification import Outcome, Verdict, Verifier
from advmip.networks import Network, load_network
from advmip.storage import check_writable, write_array

_RANGE = re.compile(r"(?P<dataset>[a-z]\w*):(?P<first>\d+)(-(?P<last>\d+))?")


_Failure = InputError | CheckError


@dataclass(frozen=True)
class LabelledImage:
    """An image to verify.

    Attributes:
        name: As the user named it: a file, or data set and number.
        image: In [0, 1], as `Layout.own` takes it.
        label: Its class.
    """

    name: str
    image: NDArray[np.floating]
    label: int


@dataclass(frozen=True)
class Unusable:
    """What was named as an image and is none.

    Attributes:
        name: As the user named it.
        error: What is wrong with it.
    """

    name: str
    error: InputError


@dataclass(frozen=True)
class Batch:
    """What came of many images.

    Attributes:
        verdicts: Of those that were decided, in order.
        failures: Of the others, what went wrong: unusable images, and answers that failed their
            check.
    """

    verdicts: list[Verdict]
    failures: list[_Failure]


def verify_images(
    network_file: Path,
    images: Sequence[str],
    out: Path | None,
    *,
    label: int | None,
    data_dir: Path | None,
    layout: str | None = None,
    **how: Any,
) -> Batch:
    """Verify images, print a line for each as soon as it is decided, and a summary.

    An image that cannot be used, or whose answer fails its check, has its line too; the others are
    verified all the same.

    Args:
        network_file: The network.
        images: Files, and ranges of a data set's test images such as "mnist:0-99".
        out: A folder for adversarial images, `.npy`; none are written if left out.
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        how: The other arguments of `Verifier`.

    Raises:
        InputError: The network cannot be read, nothing can be written to the folder, or an
            argument is wrong.
    """
    if out is not None:
        check_writable(out / "image.npy")
    network = load_network(network_file, layout)
    verifier = Verifier(network, failures=out or Path("failures"), **how)
    batch = Batch([], [])
    written: Counter[str] = Counter()
    for each in labelled_images(network, images, label, data_dir):
        try:
            if isinstance(each, Unusable):
                raise each.error
            verdict = verifier.verdict(each.image, each.label)
        except (InputError, CheckError) as error:
            print(f"{each.name}: failed, {_in_a_line(error)}", flush=True)
            batch.failures.append(error)
            continue
        print(f"{each.name}: {_line(verdict, each.label)}", flush=True)
        batch.verdicts.append(verdict)
        if out is not None and verdict.adversarial is not None:
            name = re.sub(r"\W+", "-", Path(each.name).stem)
            written[name] += 1
            # Images of one name from several folders.
            numbered = name if written[name] == 1 else f"{name}-{written[name]}"
            write_array(out / f"{numbered}.npy", verdict.adversarial)
    print(_summary(batch))
    return batch


def labelled_images(
    network: Network, images: Sequence[str], label: int | None, data_dir: Path | None
) -> Iterator[LabelledImage | Unusable]:
    """The images that are named, with their classes, and what is none.

    Args:
        network: The network that they are for.
        images: Files, and ranges of a data set's test images such as "mnist:0-99".
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.
    """
    for name in images:
        try:
            found = None if Path(name).exists() else _RANGE.fullmatch(name)
            if found is None:
                image = read_image(Path(name), network.layout)
                yield LabelledImage(name, image, network.answer(image) if label is None else label)
            else:
                yield from _test_images(network, name, found, data_dir)
        except InputError as error:
            yield Unusable(name, error)


def _test_images(
    network: Network, name: str, found: re.Match[str], data_dir: Path | None
) -> list[LabelledImage]:
    """A range of a data set's test images."""
    test = load_dataset(found["dataset"], "test", data_dir)
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if not first <= last < len(test.images):
        raise InputError(
            subject=f"images {name}",
            found=f"{len(test.images)} test images, 0 to {len(test.images) - 1}",
            expected="a rising range among them",
            mend="correct the range",
        )
    network.layout.own(test.images[first], f"images {name}")
    return [
        LabelledImage(f"{found['dataset']}:{number}", test.images[number], int(test.labels[number]))
        for number in range(first, last + 1)
    ]


def _in_a_line(error: _Failure) -> str:
    """What went wrong, and how to mend it."""
    return "; ".join(" ".join(line.split()) for line in str(error).splitlines())


def _line(verdict: Verdict, label: int) -> str:
    """The verdict on an image of a class in a line."""
    worst = int(np.argmin(verdict.margins))
    explained = {
        Outcome.ROBUST: f"class {label}, by {verdict.evidence.value}; "
        f"margin at least {verdict.margins[worst]:.4g} over class {worst}",
        Outcome.ATTACKABLE: f"class {label} becomes {verdict.predicted}, "
        f"{verdict.precision.in_words}",
        Outcome.UNKNOWN: f"class {label}; float64 cannot tell who wins: the margin over class "
        f"{worst} may be 0"
        if verdict.tied
        else f"class {label}; margin at least {verdict.margins[worst]:.4g} over class {worst}"
        + (f" ({verdict.reason})" if verdict.reason and not verdict.solver else ""),
        Outcome.MISCLASSIFIED: f"class {label} is taken for {verdict.predicted}",
    }
    return f"{verdict.status.value}, {explained[verdict.status]}; {verdict.seconds:.2f} s"


def _summary(batch: Batch) -> str:
    """How many of each verdict, and how long they took."""
    verdicts, failed = batch.verdicts, len(batch.failures)
    counts = Counter(verdict.status for verdict in verdicts)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    parts += [f"{failed} failed"] if failed else []
    seconds = sum(verdict.seconds for verdict in verdicts)
    return f"{len(verdicts) + failed} images: {', '.join(parts)}; {seconds:.1f} s"
