"""Feature visualisation: for every neuron the image that excites it most, with proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advmip.experiments.activations import activation_columns
from advmip.experiments.exact.attacked_network import AttackedNetwork
from advmip.experiments.rows import write_rows
from advmip.experiments.zhu.attacked_network import identity, load_attacked_network
from advmip.journal import Journal
from advmip.mip import maximise_activation, network_bounds
from advmip.networks import staged
from advmip.pictures import picture_columns
from advmip.progress import track
from advmip.provenance import code_digest
from advmip.settings import Settings

CODE = (
    *("checking.activations", "checking.relu_inputs", "datasets", "experiments.exact"),
    *("experiments.activations", "experiments.zhu", "mip", "networks", "pictures"),
)
_BOUNDS = "lp"


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
    places = [
        (layer, unit)
        for layer, stage in enumerate((*form.hidden, form.output), 1)
        for unit in range(stage.width)
    ]
    depends = {
        "code": code_digest(*CODE),
        "network": attacked_network.network.digest,
        "time_limit": settings["zhu"]["feature_time_limit"],
        "seed": settings["seed"],
        "threads": settings["threads"],
    }
    common = identity(settings, attacked_network, "features", CODE)
    with Journal(journal, depends, settings["reuse"]) as finished:
        open_places = [place for place in places if _key(*place) not in finished]
        bounds = network_bounds(form, _BOUNDS) if open_places else []
        for place in track(open_places, f"neurons of {paper_network}", enabled=True):
            found = _found(settings, attacked_network, bounds, *place, journal.parent)
            finished.record(_key(*place), {kind: common | row for kind, row in found.items()})
        results = [finished.get(_key(*place)) for place in places]
    for kind in ("neurons", "pictures"):
        rows = [result[kind] for result in results if kind in result]
        write_rows(kind, rows, out / f"{kind}.csv")


def _key(layer: int, unit: int) -> str:
    return f"layer={layer} unit={unit}"


def _found(
    settings: Settings,
    attacked_network: AttackedNetwork,
    bounds: Any,
    layer: int,
    unit: int,
    failures: Path,
) -> dict[str, Any]:
    """The rows of one neuron: its numbers, and its picture where an image was found."""
    limit = settings["zhu"]["feature_time_limit"]
    found = maximise_activation(
        attacked_network.network,
        layer,
        unit,
        bounds=bounds,
        time_limit=limit,
        threads=settings["threads"],
        seed=settings["seed"],
        failures=failures,
    )
    place = {"layer": layer, "unit": unit}
    numbers = activation_columns(layer, unit, _BOUNDS, bounds[layer - 1], found) | {
        "time_limit": limit
    }
    if found.image is None:
        return {"neurons": numbers}
    picture = {"shown": "strongest input", **place, **picture_columns(found.image)}
    return {"neurons": numbers, "pictures": picture | {"status": "ok", "checked": True}}
