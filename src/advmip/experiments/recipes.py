"""How the networks of the sources come about.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from dataclasses import dataclass

from advmip.settings import Defence, Training

_PLAIN = ("datasets", "networks")
_DEFENDED = (
    *("datasets", "experiments.defences", "gradient_attacks", "mip.bounds"),
    *("mip.certified_training", "networks"),
)


@dataclass(frozen=True)
class NetworkRecipe:
    """A network that is trained here, or taken from others.

    Attributes:
        architecture: The name of its architecture.
        dataset: The name of its data set.
        training: How it is trained.
        weights: Its file, below the folder of networks.
        defence: What it is made robust against in training; None for nothing.
        training_images: How many of the first training images it sees; None for all.
        file: The published network that takes the place of training; None if it is trained.
        released: Whether the authors' released weights take the place of training.
    """

    architecture: str
    dataset: str
    training: Training
    weights: str
    defence: Defence | None = None
    training_images: int | None = None
    file: str | None = None
    released: bool = False

    @property
    def command(self) -> str:
        """Which command of `advmip network` makes it."""
        if self.file is not None:
            return "copy"
        return "fetch" if self.released else "train"

    @property
    def defended(self) -> bool:
        """Whether it is made robust against something."""
        return self.defence is not None and self.defence["method"] != "none"

    @property
    def code(self) -> tuple[str, ...]:
        """The parts of the library that decide its weights, as in `code_digest`."""
        return _DEFENDED if self.defended else _PLAIN


def made_as(recipe: NetworkRecipe, seed: int, added_images: int = 0) -> dict[str, object]:
    """How a network comes about, as its file says it; of a published one it says nothing.

    Args:
        recipe: The network.
        seed: Of its training.
        added_images: How many images the settings add to the training images.
    """
    if recipe.command != "train":
        return {"weights": "released"} if recipe.released else {}
    return {
        "weights": "trained",
        "seed": seed,
        "added_images": added_images,
        "training_images": recipe.training_images,
        **recipe.training,
        **(recipe.defence or {}),
    }
