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
from advmip.errors import InputError
from advmip.mip.verification import Outcome, Verdict, Verifier
from advmip.networks import Network, load_network
from advmip.storage import write_array

_RANGE = re.compile(r"(?P<dataset>[a-z]\w*):(?P<first>\d+)(-(?P<last>\d+))?")


@dataclass(frozen=True)
class LabelledImage:
    """An image to verify.

    Attributes:
        name: As the user named it: a file, or data set and number.
        image: In [0, 1], of the network's input shape.
        label: Its class.
    """

    name: str
    image: NDArray[np.floating]
    label: int


def verify_images(
    network_file: Path,
    images: Sequence[str],
    out: Path | None,
    *,
    label: int | None,
    data_dir: Path | None,
    **how: Any,
) -> list[Verdict]:
    """Verify images, print a line for each as soon as it is decided, and a summary.

    Args:
        network_file: The network.
        images: Files, and ranges of a data set's test images such as "mnist:0-99".
        out: A folder for adversarial images, `.npy`; none are written if left out.
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.
        how: The other arguments of `Verifier`.

    Raises:
        InputError: A file or range is not there or does not fit, or an argument is wrong.
    """
    network = load_network(network_file)
    verifier = Verifier(network, failures=out or Path("failures"), **how)
    verdicts = []
    for each in labelled_images(network, images, label, data_dir):
        verdict = verifier.verdict(each.image, each.label)
        print(f"{each.name}: {_line(verdict, each.label)}", flush=True)
        verdicts.append(verdict)
        if out is not None and verdict.adversarial is not None:
            name = re.sub(r"\W+", "-", Path(each.name).stem)
            write_array(out / f"{name}.npy", verdict.adversarial)
    print(_summary(verdicts))
    return verdicts


def labelled_images(
    network: Network, images: Sequence[str], label: int | None, data_dir: Path | None
) -> Iterator[LabelledImage]:
    """The images that are named, with their classes.

    Args:
        network: The network that they are for.
        images: Files, and ranges of a data set's test images such as "mnist:0-99".
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.

    Raises:
        InputError: A file or range is not there or does not fit the network.
    """
    shape = network.architecture.input_shape
    for name in images:
        found = None if Path(name).exists() else _RANGE.fullmatch(name)
        if found is None:
            image = read_image(Path(name), shape)
            yield LabelledImage(name, image, network.answer(image) if label is None else label)
            continue
        test = load_dataset(found["dataset"], "test", data_dir)
        first, last = int(found["first"]), int(found["last"] or found["first"])
        if not first <= last < len(test.images) or test.images[0].size != np.prod(shape):
            raise InputError(
                subject=f"images {name}",
                found=f"{len(test.images)} test images, 0 to {len(test.images) - 1}, each of shape "
                f"{test.images.shape[1:]}",
                expected=f"a rising range among them, and the network's input of shape {shape}",
                mend="correct the range, or name another data set or network",
            )
        for number in range(first, last + 1):
            yield LabelledImage(
                f"{found['dataset']}:{number}",
                test.images[number].reshape(shape),
                int(test.labels[number]),
            )


def _line(verdict: Verdict, label: int) -> str:
    """The verdict on an image of a class in a line."""
    worst = int(np.argmin(verdict.margins))
    explained = {
        Outcome.ROBUST: f"class {label}, by {verdict.evidence.value}; "
        f"margin at least {verdict.margins[worst]:.4g} over class {worst}",
        Outcome.ATTACKABLE: f"class {label} becomes {verdict.predicted}",
        Outcome.UNKNOWN: f"class {label}; margin at least {verdict.margins[worst]:.4g} over class "
        f"{worst}" + (f" ({verdict.reason})" if verdict.reason else ""),
        Outcome.MISCLASSIFIED: f"class {label} is taken for {verdict.predicted}",
    }
    return f"{verdict.status.value}, {explained[verdict.status]}; {verdict.seconds:.2f} s"


def _summary(verdicts: Sequence[Verdict]) -> str:
    """How many of each verdict, and how long they took."""
    counts = Counter(verdict.status for verdict in verdicts)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    seconds = sum(verdict.seconds for verdict in verdicts)
    return f"{len(verdicts)} images: {', '.join(parts)}; {seconds:.1f} s"
