"""Images as a user names them: files, folders, archives, and ranges of data sets."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmip.datasets import load_dataset
from advmip.datasets.image_files import is_image, read_image
from advmip.durability.storage import array_digest
from advmip.errors import InputError
from advmip.networks import Network

_RANGE = re.compile(r"(?P<of>.+):(?P<first>\d+)(-(?P<last>\d+))?")
_DATASET = re.compile(r"(?P<data>[a-z]\w*)(-(?P<split>train|test))?")
_ARCHIVE = ".npz"
_ARRAYS = ("images", "labels")


@dataclass(frozen=True)
class LabelledImage:
    """An image to ask about.

    Attributes:
        name: As the user named it: a file, or data set or archive and number.
        image: In the domain of inputs, as `Layout.own` takes it.
        label: Its class.
    """

    name: str
    image: NDArray[np.floating]
    label: int

    @cached_property
    def key(self) -> str:
        """What tells it apart from others in a journal, whatever it is called."""
        return f"image={array_digest(self.image)[:16]} label={self.label}"

    @property
    def stem(self) -> str:
        """The beginning of a file's name for what comes of it."""
        return re.sub(r"\W+", "-", re.sub(r"\.\w+(?=$|:)", "", Path(self.name).name))


@dataclass(frozen=True)
class Unusable:
    """What was named as an image and is none.

    Attributes:
        name: As the user named it.
        error: What is wrong with it.
    """

    name: str
    error: InputError


def labelled_images(
    network: Network,
    names: Sequence[str],
    label: int | None = None,
    data_dir: Path | None = None,
    lower: float = 0.0,
    upper: float = 1.0,
) -> Iterator[LabelledImage | Unusable]:
    """The images that are named, with their classes, and what is none.

    Args:
        network: The network that they are for.
        names: Files; folders of files, in the order of their names; archives (.npz) of `images`
            (N, ...) and `labels` (N,); of archives and of data sets' images also a number or a
            range, "mnist:3" or "mnist:0-99" of the test images, "mnist-train:0-99" of the others.
        label: The class of the images in files; the network's own answer if left out.
        data_dir: Where the files of data sets are; by default the user's cache.
        lower: The least value that a pixel of a file may have.
        upper: The largest.
    """
    for name in names:
        try:
            source, some = _parts(name)
            if source.suffix == _ARCHIVE or not (source.exists() or some is None):
                yield from _numbered(network, name, source, some, data_dir)
                continue
            files = _files_in(source) if source.is_dir() else [source]
        except InputError as error:
            yield Unusable(name, error)
            continue
        for file in files:
            try:
                image = read_image(file, network.layout, lower, upper)
                own = network.answer(image) if label is None else label
                yield LabelledImage(str(file), image, own)
            except InputError as error:
                yield Unusable(str(file), error)


def _parts(name: str) -> tuple[Path, range | None]:
    """What is named, and which of its images; all if it does not say."""
    found = None if Path(name).exists() else _RANGE.fullmatch(name)
    if found is None or not (found["of"].endswith(_ARCHIVE) or _DATASET.fullmatch(found["of"])):
        return Path(name), None
    first = int(found["first"])
    return Path(found["of"]), range(first, int(found["last"] or first) + 1)


def _numbered(
    network: Network, name: str, source: Path, some: range | None, data_dir: Path | None
) -> list[LabelledImage]:
    """The images of an archive or a data set."""
    if source.suffix == _ARCHIVE:
        images, labels = _archive(source)
    else:
        named = _DATASET.fullmatch(str(source))
        assert named is not None
        dataset = load_dataset(named["data"], named["split"] or "test", data_dir)
        images, labels = dataset.images, dataset.labels
    chosen = range(len(images)) if some is None else some
    if not (len(chosen) and chosen[-1] < len(images)):
        raise InputError(
            subject=f"images {name}",
            found=f"{len(images)} images, 0 to {len(images) - 1}",
            expected="a rising range among them",
            mend="correct the range",
        )
    network.layout.own(images[chosen[0]], f"images {name}")
    return [
        LabelledImage(f"{source}:{number}", images[number], int(labels[number]))
        for number in chosen
    ]


def _archive(file: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images (N, ...) and labels (N,) of an archive."""
    error: Exception | None = None
    found = "no such file"
    if file.is_file():
        try:
            with np.load(file, allow_pickle=False) as archive:
                found = f"arrays {', '.join(archive.files) or 'none'}"
                if set(_ARRAYS) <= set(archive.files):
                    images, labels = (archive[name] for name in _ARRAYS)
                    if _fit(images, labels):
                        return images, labels
                    found = f"images {images.dtype} {images.shape}, labels {labels.dtype} " + str(
                        labels.shape
                    )
        except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as caught:
            error, found = caught, f"not readable ({caught})"
    raise InputError(
        subject=f"images {file}",
        found=found,
        expected="real numbers `images` (N, ...) and whole numbers `labels` (N,), N at least 1",
        mend="write them by numpy.savez(file, images=..., labels=...)",
    ) from error


def _fit(images: NDArray[Any], labels: NDArray[Any]) -> bool:
    kinds = images.dtype.kind in "fiub" and labels.dtype.kind in "iu"
    return bool(kinds and images.ndim and labels.shape == images.shape[:1] and len(labels))


def _files_in(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and is_image(file))
    if not files:
        raise InputError(
            subject=f"folder {folder}",
            found="no image",
            expected="arrays (.npy) or pictures, directly in it",
            mend="name the folder that holds the images",
        )
    return files
