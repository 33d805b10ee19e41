"""The columns of a row that say what it is about, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable

from advmip.datasets import Dataset
from advmip.experiments.rows import Row
from advmip.finetuning_settings import Protocol
from advmip.networks import Network
from advmip.provenance import code_digest, provenance
from advmip.settings import Settings


def network_columns(
    experiment: str,
    paper_network: str,
    network: Network | None = None,
    dataset: Dataset | None = None,
) -> Row:
    """What a row is about: names, and the first digits of the digests of weights and images.

    Args:
        experiment: What the row is for.
        paper_network: The source's name for the network, or for what stands in its place.
        network: The network, if there is one.
        dataset: The images, if there are any; otherwise the data set is the network's own.
    """
    row: Row = {"experiment": experiment, "paper_network": paper_network}
    if network is not None:
        row |= {
            "network": network.architecture.name,
            "dataset": network.architecture.dataset,
            "network_digest": network.digest[:16],
        }
    if dataset is not None:
        row |= {"dataset": dataset.name, "dataset_digest": dataset.digest[:16]}
    return row


def origin_columns(
    settings: Settings,
    source: str,
    code: Iterable[str],
    *,
    protocol: Protocol = "published",
    seed: int | None = None,
) -> Row:
    """Source, protocol and seed, the digest of the code that decides the row, versions, machine.

    Args:
        settings: All settings.
        source: The source's short name.
        code: Parts of the library, as in `code_digest`.
        protocol: How the source's numbers are sought again.
        seed: Where it is not that of the settings.
    """
    return {
        "source": source,
        "protocol": protocol,
        "seed": settings["seed"] if seed is None else seed,
        "threads": settings["threads"],
        "code": code_digest(*code),
        "provenance": json.dumps(provenance(settings["threads"]), sort_keys=True),
    }
