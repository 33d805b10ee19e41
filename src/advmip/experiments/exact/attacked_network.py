"""The network under attack, its images, and what rows say of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmip.datasets import Dataset
from advmip.errors import InputError
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row
from advmip.networks import Network, staged
from advmip.settings import Settings

# Images whose logits are computed together: all training images at once would take a gigabyte.
_BATCH = 5_000


@dataclass(frozen=True)
class AttackedNetwork:
    """A network of a source with the images that it is attacked on.

    Attributes:
        paper_network: The source's name for it.
        network: The network.
        images: The images of one split.
        correct: The indices of the images that the network classifies correctly, in order; those
            of the network that it was retrained from, if it was.
    """

    paper_network: str
    network: Network
    images: Dataset
    correct: NDArray[np.intp]

    @classmethod
    def of(cls, paper_network: str, network: Network, images: Dataset) -> AttackedNetwork:
        """A network on the images that it classifies correctly itself."""
        correct = np.flatnonzero(predictions(network, images.images) == images.labels)
        return cls(paper_network, network, images, correct)

    def correct_of(self, label: int | None) -> NDArray[np.intp]:
        """Those of one class; all where it is None."""
        return (
            self.correct
            if label is None
            else self.correct[self.images.labels[self.correct] == label]
        )

    def demand(self, images: int, labels: set[int | None], experiment: str) -> None:
        """Make sure that there are enough images to attack.

        Args:
            images: How many, of each class that is named.
            labels: Classes, or None for all together.
            experiment: What they are for.

        Raises:
            InputError: There are fewer.
        """
        fewest = min(len(self.correct_of(label)) for label in labels)
        if fewest < images:
            of_each = "" if labels == {None} else " of each class"
            raise InputError(
                subject=f"experiment {experiment} on {self.paper_network}",
                found=f"{fewest} {self.images.split} images that the network classifies correctly",
                expected=f"the {images}{of_each} that the settings ask for",
                mend="ask for fewer images, or train the network longer",
            )


def predictions(network: Network, images: NDArray[np.floating]) -> NDArray[np.intp]:
    """The class (n,) that a network gives each of n images (n, C, H, W), in float64."""
    form = staged(network)
    batches = np.array_split(images, range(_BATCH, len(images), _BATCH))
    return np.concatenate(
        [
            form.logits(batch.reshape(len(batch), -1).T.astype(np.float64)).argmax(axis=0)
            for batch in batches
        ]
    )


def identity_columns(
    settings: Settings,
    source: str,
    attacked_network: AttackedNetwork,
    experiment: str,
    code: Sequence[str],
) -> Row:
    """The columns that say what a row is about, and where it comes from.

    Args:
        settings: All settings.
        source: The source's short name.
        attacked_network: The network and its images.
        experiment: What the row is for.
        code: Parts of the library that decide it, as in `code_digest`.
    """
    return {
        **network_columns(
            experiment,
            attacked_network.paper_network,
            attacked_network.network,
            attacked_network.images,
        ),
        **origin_columns(settings, source, code),
    }
