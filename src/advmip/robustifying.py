"""`advmip robustify`: a network and images as a user names them, and the new network's file.

Beside the network go a row for each image (.csv), the points that attack (.npy, in a folder of the
network's name), and the record of iterates (.jsonl, with its arrays in that folder).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from advmip.certified_finetuning import Fate, Robustified, TunedImage, robustify
from advmip.datasets import load_dataset
from advmip.datasets.loading import COUNTS
from advmip.durability.storage import write_array, write_atomically
from advmip.errors import InputError
from advmip.memory import keep_freed_memory
from advmip.networks import Network, load_network
from advmip.questions.ball_verification import explained
from advmip.questions.labelled_images import LabelledImage, Unusable, labelled_images
from advmip.threads import use_threads


def robustify_file(
    network_file: Path,
    images: Sequence[str],
    out: Path,
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    label: int | None = None,
    layout: str | None = None,
    journal: Path | None = None,
    **how: Any,
) -> Robustified:
    """Fine-tune a network until images are proved robust, and tell what is proved of each.

    Args:
        network_file: The network.
        images: As `labelled_images` takes them.
        out: The file of the new network, .safetensors.
        data: The data set of the training loss and of the accuracy; if left out, the one that the
            network's architecture is for.
        data_dir: Where the files of data sets are; by default the user's cache.
        label: The class of the images in files; the network's own answer if left out.
        layout: What the axes of the network's input mean, as `load_network` takes it.
        journal: The record of iterates; by default beside the new network.
        how: The other arguments of `robustify`.

    Raises:
        InputError: The network or an image cannot be used, there is no such data set, or as for
            `robustify`.
        CheckError: As for `robustify`.
    """
    use_threads(how.get("threads", 1))
    keep_freed_memory()
    network = load_network(network_file, layout)
    chosen: list[LabelledImage] = []
    for each in labelled_images(network, images, label, data_dir):
        if isinstance(each, Unusable):
            raise each.error
        chosen.append(each)
    name = _dataset(network) if data is None else data
    result = robustify(
        network,
        load_dataset(name, "train", data_dir),
        [(each.image, each.label) for each in chosen],
        names=[each.name for each in chosen],
        test=load_dataset(name, "test", data_dir),
        out=out,
        journal=out.with_suffix(".jsonl") if journal is None else journal,
        failures=out.parent / "failures",
        **how,
    )
    for each, tuned in zip(chosen, result.images, strict=True):
        print(f"{each.name}: {tuned.fate}, {_line(tuned, chosen)}", flush=True)
        if tuned.adversarial is not None:
            write_array(out.with_suffix("") / f"{each.stem}.npy", tuned.adversarial)
    rows = [_row(each, tuned) for each, tuned in zip(chosen, result.images, strict=True)]
    with write_atomically(out.with_suffix(".csv")) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)
    print(_summary(result), flush=True)
    return result


def _dataset(network: Network) -> str:
    """The data set that a network classifies, by its architecture."""
    name = network.architecture.dataset
    if name not in COUNTS:
        raise InputError(
            subject="data set of the training loss",
            found="none named, and the network does not say what it classifies",
            expected=f"one of {', '.join(COUNTS)}",
            mend="name it by --data",
        )
    return name


def _line(tuned: TunedImage, images: Sequence[LabelledImage]) -> str:
    if tuned.verdict is not None:
        return explained(tuned.label, tuned.verdict)
    if tuned.rival is None:
        return f"class {tuned.label} was taken for {tuned.predicted}: left out"
    rival = images[tuned.rival]
    return f"class {tuned.label}, within 2 epsilon of {rival.name}, class {rival.label}: left out"


def _row(each: LabelledImage, tuned: TunedImage) -> dict[str, Any]:
    verdict = tuned.verdict
    return {
        "image": each.name,
        "label": each.label,
        "fate": tuned.fate.value,
        "evidence": "" if verdict is None else verdict.evidence.value,
        "least_margin": tuned.margin,
        "predicted": tuned.predicted if verdict is None else verdict.predicted,
        "seconds": 0.0 if verdict is None else verdict.seconds,
    }


def _summary(result: Robustified) -> str:
    """What came of it, in two lines."""
    counts = Counter(each.fate for each in result.images)
    fates = ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
    accuracy = result.accuracy
    parts = ", ".join(f"{part} {value:.1f} s" for part, value in result.seconds.items() if value)
    return (
        f"{len(result.images)} images: {fates}; weights moved by {result.distance:.4g}; "
        f"accuracy on the {accuracy.split} images {accuracy.before:.2f} % before, "
        f"{accuracy.after:.2f} % after\n"
        f"{len(result.iterations)} iterations, ended by: {result.stopped}; {parts}"
    )
