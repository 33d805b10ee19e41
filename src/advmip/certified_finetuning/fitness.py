"""Which images can be proved at all, and which may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from advmip.certified_finetuning.balls import Balls
from advmip.certified_finetuning.result import Fate, TunedImage
from advmip.datasets import Dataset
from advmip.durability.storage import array_digest
from advmip.errors import InputError
from advmip.networks import Network

_NAMED = 5


def left_out_of(
    network: Network, balls: Balls, names: Sequence[str], *, refuse: bool, repair: bool
) -> dict[int, TunedImage]:
    """The images that cannot be proved, and those that are not classified correctly, by place.

    Args:
        network: The network at the start.
        balls: The balls around all images.
        names: What the images are called.
        refuse: Whether there may be no such images.
        repair: Whether those that are not classified correctly are to be made right: none is unfit
            for that.

    Raises:
        InputError: There is one, and there may not be; or no other is left.
    """
    labels = balls.labels.tolist()
    rivals = _rivals(balls)
    mistaken = {
        place: predicted
        for place, predicted in ({} if repair else _mistaken(network, balls)).items()
        if place not in rivals
    }
    said = [
        f"{names[place]} (class {labels[place]}) within 2 epsilon of {names[rival]} "
        f"(class {labels[rival]})"
        for place, rival in rivals.items()
        if place < rival or rivals[rival] != place
    ]
    said += [
        f"{names[place]} (class {labels[place]}) taken for class {predicted}"
        for place, predicted in mistaken.items()
    ]
    if said and (refuse or len(rivals) + len(mistaken) == len(balls)):
        more = f"; and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
        raise InputError(
            subject="images to be proved",
            found="; ".join(said[:_NAMED]) + more,
            expected=("images, " if repair else "images that the network classifies correctly, ")
            + "no two of different classes within 2 epsilon of each other",
            mend="name others" + (", or let these be left out" if refuse else ""),
        )
    return {
        place: TunedImage(labels[place], Fate.IMPOSSIBLE, rival=rival)
        for place, rival in rivals.items()
    } | {
        place: TunedImage(labels[place], Fate.MISCLASSIFIED, predicted=predicted)
        for place, predicted in mistaken.items()
    }


def refuse_tested(balls: Balls, names: Sequence[str], test: Dataset | None) -> None:
    """Refuse images that the accuracy is to be measured on.

    Args:
        balls: The balls around the images.
        names: What the images are called.
        test: The test images; None where there are none.

    Raises:
        InputError: An image is one of them.
    """
    if test is None or test.images[0].size != balls.centres.shape[1]:
        return
    known = {array_digest(image.ravel()) for image in test.images}
    centres = balls.centres.numpy().astype(np.float32)
    among = [
        name for name, centre in zip(names, centres, strict=True) if array_digest(centre) in known
    ]
    if among:
        more = f" and {len(among) - 1} more" if len(among) > 1 else ""
        raise InputError(
            subject="images to be proved",
            found=f"{among[0]}{more}, of the images that the accuracy is measured on",
            expected="images that it is not measured on",
            mend="name training images, such as mnist-train:0-49",
        )


def _rivals(balls: Balls) -> dict[int, int]:
    """The images that no network can be robust at, each with one that stands in its way.

    Where two images of different classes are not farther than 2 epsilon apart, the point between
    them lies in both balls, and would have to have both classes.
    """
    found = {}
    for place, (centre, label) in enumerate(zip(balls.centres, balls.labels, strict=True)):
        distances = (balls.centres - centre).abs().amax(dim=1)
        distances[balls.labels == label] = torch.inf
        nearest = int(distances.argmin())
        if float(distances[nearest]) <= 2 * balls.epsilon:
            found[place] = nearest
    return found


def _mistaken(network: Network, balls: Balls) -> dict[int, int]:
    """The images that a network takes for another class, and for which."""
    shaped = balls.centres.reshape(-1, *network.layout.shape)
    with torch.no_grad():
        answers = network(shaped.to(network.mean.dtype)).argmax(dim=1)
    return {
        place: int(answer)
        for place, (answer, label) in enumerate(zip(answers, balls.labels, strict=True))
        if answer != label
    }
