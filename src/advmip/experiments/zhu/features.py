"""Feature visualisation: for every neuron the image that excites it most, with proof."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from advmip.experiments.activations import activation_columns
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_network,
)
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.solving import identity_of, key_of, solved
from advmip.experiments.zhu.catalogue import CODE
from advmip.mip import maximise_activation, network_bounds
from advmip.mip.encoding import Interval
from advmip.networks import staged
from advmip.pictures import picture_columns
from advmip.settings import Settings

_BOUNDS = "lp"


class _Neuron(NamedTuple):
    """Where a neuron is: its layer of ReLUs, from 1, and its place there, from 0."""

    layer: int
    unit: int


def features(
    settings: Settings, paper_network: str, network_file: Path, journal: Path, out: Path
) -> None:
    """Maximise what enters each neuron of a network, the outputs included (Section 5.1).

    Each neuron goes into a journal as soon as it is finished: a process that is killed goes on
    behind the last one.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        network_file: The network's weights.
        journal: Where finished neurons are recorded.
        out: The folder of neurons.csv and pictures.csv.

    Raises:
        InputError: A file cannot be used.
        CheckError: An answer failed its independent check.
    """
    attacked_network = load_attacked_network(settings, paper_network, network_file)
    form = staged(attacked_network.network)
    neurons = [
        _Neuron(layer, unit)
        for layer, stage in enumerate((*form.hidden, form.output), 1)
        for unit in range(stage.width)
    ]
    code = CODE["features"]
    identity = identity_of(
        settings,
        code,
        network=attacked_network.network.digest,
        time_limit=settings["zhu"]["feature_time_limit"],
    )
    common = attacked_network.columns(settings, "zhu", "features", code)

    @cache
    def bounds() -> list[Interval]:
        return network_bounds(form, _BOUNDS)

    def solve(neuron: _Neuron) -> dict[str, Row]:
        rows = _found(settings, attacked_network, bounds(), neuron, journal.parent)
        return {kind: common | row for kind, row in rows.items()}

    results = solved(journal, identity, settings["reuse"], neurons, key_of, solve)
    for kind in ("neurons", "pictures"):
        rows = [result[kind] for result in results if kind in result]
        write_rows(kind, rows, out / f"{kind}.csv")


def _found(
    settings: Settings,
    attacked_network: AttackedNetwork,
    bounds: list[Interval],
    neuron: _Neuron,
    failures: Path,
) -> dict[str, Row]:
    """The rows of one neuron: its numbers, and its picture where an image was found."""
    limit = settings["zhu"]["feature_time_limit"]
    found = maximise_activation(
        attacked_network.network,
        *neuron,
        bounds=bounds,
        time_limit=limit,
        threads=settings["threads"],
        seed=settings["seed"],
        failures=failures,
    )
    numbers = activation_columns(*neuron, _BOUNDS, bounds[neuron.layer - 1], found) | {
        "time_limit": limit
    }
    if found.image is None:
        return {"neurons": numbers}
    picture = {"shown": "strongest input", **neuron._asdict(), **picture_columns(found.image)}
    return {"neurons": numbers, "pictures": picture | {"status": "ok", "checked": True}}
