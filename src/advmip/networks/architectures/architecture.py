"""A network before it has weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from advmip.layout import Layout

Shape = tuple[int, int, int]

# Channels, height and width of the images of each data set.
IMAGES: dict[str, Shape] = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "shapes": (3, 16, 16),
    "cifar10": (3, 32, 32),
}


@dataclass(frozen=True)
class Architecture:
    """A network before it has weights.

    Attributes:
        name: The name in settings, rows and files.
        paper_name: The name in the paper, or that of the paper's network it stands for.
        dataset: The data set it classifies.
        input_shape: Channels, height and width of an image; another network's own, if it has one.
        mean: Per channel, what is subtracted from pixels in [0, 1].
        std: Per channel, what they are then divided by.
        augmented: Trained on randomly cropped and flipped images.
        build: Makes the module, with weights drawn from torch's global generator.
        layout: What the axes of the input mean, where they are not channels, height and width.
        left_out: A last layer that the module leaves out, since it changes no order of the outputs.
    """

    name: str
    paper_name: str
    dataset: str
    input_shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmented: bool
    build: Callable[[], nn.Module]
    layout: Layout | None = None
    left_out: str = ""


def for_dataset(
    name: str,
    paper_name: str,
    dataset: str,
    build: Callable[[Shape], nn.Module],
    *,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    augmented: bool = False,
) -> Architecture:
    """An architecture for the images of a data set; without `mean` and `std`, as they are.

    The arguments are the attributes of `Architecture`, but that `build` is given the shape of an
    image.
    """
    shape = IMAGES[dataset]
    return Architecture(
        name=name,
        paper_name=paper_name,
        dataset=dataset,
        input_shape=shape,
        mean=mean or (0.0,) * shape[0],
        std=std or (1.0,) * shape[0],
        augmented=augmented,
        build=partial(build, shape),
    )
