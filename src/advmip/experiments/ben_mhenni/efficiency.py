"""Solvers beside each other on the same attacks with the same bounds (Table 3, Figures 6, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from advmip.errors import InputError
from advmip.experiments.ben_mhenni.catalogue import CODE
from advmip.experiments.ben_mhenni.instances import (
    EFFICIENCY,
    Instance,
    shard_of,
    time_limit_of,
)
from advmip.experiments.exact.attacked_network import (
    AttackedNetwork,
    load_attacked_networks,
)
from advmip.experiments.exact.columns import attack_columns
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.shards import most_images, networks_of
from advmip.experiments.solving import identity_of, key_of, solved
from advmip.mip import minimal_attack, network_bounds
from advmip.mip.bounds import NETWORK_BOUNDS
from advmip.mip.encoding import Interval
from advmip.mip.margins import runner_up
from advmip.networks import staged
from advmip.settings import Settings, SolverComparison

# The settings that stand in a row, among those that an answer depends on.
_DECISIVE = ("bounds", "gap")


def compare_solvers(
    settings: Settings, shard: int, network_files: Mapping[str, Path], journal: Path, out: Path
) -> None:
    """Do the attacks of one job, each by one solver, and write their rows.

    Bounds over the whole box are computed once for a network, before the time of its attacks;
    progressive ones belong to an attack and to its time.

    Args:
        settings: All settings.
        shard: Which of the experiment's jobs.
        network_files: The weights of the job's networks, by the paper's names.
        journal: Where finished attacks are recorded.
        out: The folder of attacks.csv.

    Raises:
        InputError: The scale has no such job, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    instances = shard_of(settings, EFFICIENCY, shard)
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    images = {name: most_images(compared[name]) for name in networks_of(instances)}
    attacked_networks = load_attacked_networks(settings, EFFICIENCY, network_files, images)

    @cache
    def bounds_of(name: str) -> str | list[Interval]:
        method = compared[name]["bounds"]
        if method not in NETWORK_BOUNDS:
            return method
        return network_bounds(staged(attacked_networks[name].network), method, progress=True)

    def solve(instance: Instance) -> Row:
        name = instance.paper_network
        attacked_network = attacked_networks[name]
        common = attacked_network.columns(settings, "benmhenni", EFFICIENCY, CODE[EFFICIENCY])
        return common | _row(
            settings, attacked_network, compared[name], bounds_of(name), instance, journal.parent
        )

    def key(instance: Instance) -> str:
        # Its time may be its solver's own: an answer outlives another solver's new limit.
        return f"{key_of(instance)} time_limit={time_limit_of(settings, instance):g}"

    rows: list[Row] = []
    for name, attacked_network in attacked_networks.items():
        # Of its network alone: others may share the job, or another one.
        identity = identity_of(
            settings,
            CODE[EFFICIENCY],
            attacked_networks={name: attacked_network.digests},
            attacks={name: {each: compared[name][each] for each in (*_DECISIVE, "target")}},  # type: ignore[literal-required]
            margin=settings["benmhenni"]["margin"],
        )
        own = [each for each in instances if each.paper_network == name]
        rows += solved(journal, identity, settings["reuse"], own, key, solve)
    write_rows("attacks", rows, out / "attacks.csv")


def _row(
    settings: Settings,
    attacked_network: AttackedNetwork,
    chosen: SolverComparison,
    bounds: Any,
    instance: Instance,
    failures: Path,
) -> Row:
    index = int(attacked_network.correct[instance.rank])
    image = attacked_network.images.images[index].astype(np.float64)
    label = int(attacked_network.images.labels[index])
    form = staged(attacked_network.network)
    rival = runner_up(form.logits(image.ravel()), label)
    target = rival if chosen["target"] == "runner-up" else None
    assert instance.solver is not None  # each attack is a solver's
    time_limit = time_limit_of(settings, instance)
    row: Row = {
        "image": index,
        "rank": instance.rank,
        "label": label,
        "target": target,
        "ratio": 1.0,
        "distance_name": instance.method,
        "formulation": "big-m",
        "neurons": form.neurons,
        "solver": instance.solver,
        "time_limit": time_limit,
        **{name: chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
    }
    try:
        attack = minimal_attack(
            attacked_network.network,
            image,
            label,
            instance.method,
            target=target,
            margin=settings["benmhenni"]["margin"],
            bounds=bounds,
            solver=instance.solver,
            time_limit=time_limit,
            gap=chosen["gap"],
            threads=settings["threads"],
            seed=settings["seed"],
            failures=failures,
        )
    except InputError as error:
        # A solver may not take squares, or its licence not a model of this size.
        if error.subject != f"solver {instance.solver}":
            raise
        return row | {"status": "refused", "solver_reason": error.found}
    return row | attack_columns(attack, image) | {"status": "ok", "checked": True}
