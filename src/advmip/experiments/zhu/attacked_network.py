"""What all rows on the thesis share: the network under attack, its images, where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from advmip.errors import looked_up
from advmip.experiments.classifiers import load_split, network_of
from advmip.experiments.exact.attacked_network import AttackedNetwork, identity_columns
from advmip.experiments.rows import Row
from advmip.settings import Settings

# What decides an attack's answer.
CODE = (
    *("checking.attacks", "datasets", "experiments.exact", "experiments.zhu"),
    *("mip", "networks"),
)


def load_attacked_network(
    settings: Settings, paper_network: str, network_file: Path, split: str = "test"
) -> AttackedNetwork:
    """Load a network and the images of a split.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The network's weights.
        split: "train" or "test".

    Raises:
        InputError: The name is unknown, a file is missing or damaged, or the file holds another
            architecture than the settings name.
    """
    chosen = looked_up("network", paper_network, settings["zhu"]["networks"])
    network = network_of(chosen, paper_network, network_file)
    images = load_split(settings, chosen["dataset"], split)
    return AttackedNetwork.of(paper_network, network, images)


def identity(
    settings: Settings,
    attacked_network: AttackedNetwork,
    experiment: str,
    code: Sequence[str] = CODE,
) -> Row:
    """The columns that say what a row is about, and where it comes from."""
    return identity_columns(settings, "zhu", attacked_network, experiment, code)
