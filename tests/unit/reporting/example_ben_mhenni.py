"""Rows of Ben Mhenni's experiments from simple formulas, as the experiments write them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from advmip.pictures import picture_columns
from advmip.reporting.sources import read_sources

SOURCE = read_sources(Path(__file__).parents[3] / "workflow" / "papers")["benmhenni"]
SIDE, RANKS = 4, 3
METHODS = ("fgsm", "pgd", "carlini-wagner", "l2", "l1", "l1+tv", "l1+tv-image")
SECONDS = {"gurobi": 2.0, "highs": 6.0, "branch-and-bound": 1.0, "mipverify": 3.0}

Found = dict[str, list[dict[str, Any]]]


def ben_mhenni_rows(stand_ins: bool = False) -> Found:
    """The rows by kind, the networks' own or those of stand-ins on the digits."""
    rows: Found = {
        kind: []
        for kind in ("networks", "samples", "pictures", "nodes", "perturbations", "attacks")
    }
    plain = {"source": "benmhenni", "protocol": "published", "seed": 0}
    answer = {**plain, "status": "ok", "checked": True}
    for keys, numbers in SOURCE.blocks["networks"].values:
        known = SOURCE.networks[keys["paper_network"]]
        about = {"experiment": "networks", "network": known.architecture, "dataset": known.dataset}
        rows["networks"].append({**plain, **about, **keys, **numbers, "hidden_layers": "50 50"})
    for x in np.linspace(-1, 1, 5):
        for power in (0.0, 0.5, 1.0, 2.0):
            value = float(x != 0) if power == 0 else abs(x) ** power
            point = {"experiment": "penalties", "paper_network": f"l{power:g}", "x1": x}
            rows["samples"].append({**plain, **point, "value": value})
        relu = max(x, 0.0)
        point = {"experiment": "relaxed_neuron", "x1": x, "value": relu, "lower": relu}
        rows["samples"].append({**plain, **point, "upper": (x + 1) / 2})
    for shown in ("original", "noisy", "anisotropic variation", "isotropic variation"):
        picture = picture_columns(np.full((1, SIDE, SIDE), 0.5))
        about = {"experiment": "denoising", "shown": shown, "variation": 1.0}
        rows["pictures"].append({**answer, **about, **picture})
    for number, parent, neuron, active, value, outcome in (
        (0, None, None, None, 0.0, "branched"),
        (1, 0, 2, True, 1.0, "solution"),
        (2, 0, 2, False, np.inf, "infeasible"),
    ):
        node = {"number": number, "parent": parent, "neuron": neuron, "active": active}
        about = {"experiment": "tree", "value": value, "outcome": outcome}
        rows["nodes"].append({**answer, **node, **about})
    for network, rank in product(("CIFAR-4x100", "MNIST-3x50"), range(RANKS)):
        victim = answer | _victim(network, stand_ins)
        image = np.full((1, SIDE, SIDE), rank / 4)
        look = {**victim, "experiment": "appearance", "image": rank, "label": rank}
        rows["pictures"].append({**look, "shown": "original", **picture_columns(image)})
        for place, method in enumerate(METHODS):
            # The later in the list the sparser.
            measures = {
                name: 10.0 * (place + 1) for name in ("unchanged_share", "busy_share", "similarity")
            }
            lengths = {"total_change": 1.0, "variation": 2.0, "image_variation": 3.0}
            found = {"rank": rank, "method": method, "outcome": "optimal", "success": 100.0}
            found |= {"predicted": 5, "distance": 1.0, "lower_bound": 1.0}
            rows["perturbations"].append({**look, **found, **measures, **lengths})
            picture = picture_columns(np.clip(image + 0.1 * place, 0, 1))
            rows["pictures"].append({**look, "shown": method, **picture})
        for distance, (solver, seconds) in product(("l2", "l1"), SECONDS.items()):
            rows["attacks"].append(
                {
                    **victim,
                    "experiment": "efficiency",
                    "rank": rank,
                    "distance_name": distance,
                    "solver": solver,
                    "solver_taken": "scip" if solver == "mipverify" else solver,
                    "time_limit": 1000.0,
                    "outcome": "optimal",
                    "distance": 5.0,
                    "lower_bound": 5.0,
                    "nodes": 10,
                    "neurons": 100 if network == "MNIST-3x50" else 400,
                    "unstable": 80,
                    "seconds_total": seconds * (rank + 1),
                }
            )
    for row in rows["attacks"]:
        if (row["solver"], row["distance_name"]) == ("highs", "l2"):
            refused = {
                "status": "refused",
                "solver_reason": "HiGHS has no squares",
                "distance": None,
            }
            row |= {**refused, "lower_bound": None, "outcome": None, "nodes": None}
    return rows


def planned() -> dict[tuple[str, str], frozenset[str]]:
    """The distances and methods of a plan with exactly these rows."""
    networks = ("CIFAR-4x100", "MNIST-3x50")
    return {("efficiency", name): frozenset(["l1", "l2"]) for name in networks} | {
        ("appearance", name): frozenset(METHODS) for name in networks
    }


def planned_solvers() -> dict[tuple[str, str], frozenset[str]]:
    """The solvers of that plan."""
    return {key: frozenset(SECONDS) for key in planned() if key[0] == "efficiency"}


def _victim(network: str, stand_ins: bool) -> dict[str, Any]:
    known = SOURCE.networks[network]
    name, dataset = known.architecture, known.dataset
    if stand_ins:
        name, dataset = f"digits_{name}", "digits"
    return {"paper_network": network, "network": name, "dataset": dataset}
