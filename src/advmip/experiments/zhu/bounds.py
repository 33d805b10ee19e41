"""Bounds of a network's neurons over the whole box: computed once, kept with what they took."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from advmip.durability.storage import reading_arrays, write_arrays
from advmip.errors import InputError
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_network,
)
from advmip.experiments.rows import write_rows
from advmip.experiments.zhu.catalogue import CODE
from advmip.mip import network_bounds
from advmip.mip.encoding import Interval, unstable_neurons
from advmip.networks import staged
from advmip.settings import Settings


def bounds_of_network(
    settings: Settings, paper_network: str, method: str, network_file: Path, out: Path
) -> None:
    """Bound the neurons of a network, and write bounds and rows.

    Args:
        settings: All settings.
        paper_network: "DNN1" to "DNN5".
        method: A method of `network_bounds`.
        network_file: The network's weights.
        out: The folder of bounds.npz and bounds.csv.
    """
    attacked_network = load_attacked_network(settings, paper_network, network_file)
    form = staged(attacked_network.network)
    begun = time.process_time()
    limit = settings["zhu"]["bound_time_limit"]
    bounds = network_bounds(form, method, time_limit=limit, progress=True)
    seconds = time.process_time() - begun
    arrays = {
        f"{side}_{place}": getattr(interval, side)
        for place, interval in enumerate(bounds)
        for side in ("lower", "upper")
    }
    write_arrays(out / "bounds.npz", **arrays)
    row = {
        "bounds": method,
        "neurons": form.neurons,
        "unstable": unstable_neurons(bounds),
        "seconds": seconds,
        "bound_time_limit": limit,
    }
    write_rows(
        "bounds",
        [attacked_network.columns(settings, "zhu", "bounds", CODE["bounds"]) | row],
        out / "bounds.csv",
    )


def read_bounds(file: Path, attacked_network: AttackedNetwork) -> list[Interval]:
    """Bounds that `bounds_of_network` wrote.

    Raises:
        InputError: The file is missing, damaged, or of another network.
    """
    stages = (*staged(attacked_network.network).hidden, staged(attacked_network.network).output)
    reading = reading_arrays("bounds", file, "zhu bounds")
    with reading, np.load(file, allow_pickle=False) as arrays:
        bounds = [
            Interval(arrays[f"lower_{place}"], arrays[f"upper_{place}"])
            for place in range(len(stages))
        ]
    widths = [len(interval.lower) for interval in bounds]
    if widths != [stage.width for stage in stages]:
        raise InputError(
            subject=f"bounds {file}",
            found=f"layers of {widths} neurons",
            expected=f"those of {attacked_network.paper_network}",
            mend="name the bounds of this network",
        )
    return bounds
