"""The paper's tables: from tidy rows to data frames, and as they are printed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from advmip.reporting.ben_mhenni.instances import EFFICIENCY, INSTANCES
from advmip.reporting.ben_mhenni.names import DISTANCES, METHODS, SOLVERS, twin_of
from advmip.reporting.comparisons import compare_block, unpublished
from advmip.reporting.entries import (
    at_least,
    beside,
    number_of,
    row_of,
    rules_at,
    verdict_notes,
    without_repeats,
)
from advmip.reporting.formats import Entry, PrintedTable
from advmip.reporting.outputs import Sources, TableKind
from advmip.reporting.rows import Rows, where

_BESIDE = ("ours", "paper")
_BLOCKS = {"branch-and-bound": "home", "gurobi": "gurobi", "mipverify": "mipverify"}
_QUANTITIES = {"seconds_total": "T (s)", "nodes": "Nodes", "unfinished": "F"}
_SHAPES = {
    "success": "Success rate (%)",
    "unchanged_share": "Sparsity (%)",
    "similarity": "Invisibility (%)",
    "busy_share": "Change where the image varies (%)",
    "total_change": "Sum of changes",
}


def networks(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1: how large the networks are.

    Returns:
        The columns of `compare_block`, and `hidden_layers`, the ReLUs of each layer.
    """
    source = sources["benmhenni"]
    compared = compare_block(rows, source, source.blocks["networks"], "published")
    layers = rows.select("networks", {"experiment": "networks", "protocol": "published"})
    by_name = layers.set_index("paper_network")["hidden_layers"]
    return compared.assign(hidden_layers=compared["network"].map(by_name))


def print_networks(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1, with the ReLUs of each network beside what the paper counts."""
    lines = []
    for network, part in tidy.groupby("network", sort=False):
        layers = [int(width) for width in str(part["hidden_layers"].iloc[0]).split()]
        data, _, name = str(network).partition("-")
        lines.append(
            [
                Entry(data),
                Entry(name),
                Entry(" + ".join(f"{width:,}" for width in layers)),
                Entry(f"{sum(layers):,}"),
                *_pair(row_of(part, quantity="units")),
                *_pair(row_of(part, quantity="layers")),
            ]
        )
    return PrintedTable(
        title="The networks: neurons with a ReLU, all units and all layers",
        groups=[("", 2), ("ReLUs", 2), ("Units", 2), ("Layers", 2)],
        columns=["Data", "Network", "by layer", "all", *_BESIDE, *_BESIDE],
        rows=lines,
        rules=rules_at(lines),
        notes=[
            *verdict_notes(tidy),
            "Ours counts the outputs of every convolution, linear layer and pooling, the ten class "
            "scores among them, and these layers.",
        ],
        text_columns=3,
    )


def appearance(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 2: success, sparsity and invisibility by method.

    Returns:
        The columns of `compare_block` and `method`; two quantities are ours alone.
    """
    source = sources["benmhenni"]
    blocks = [source.blocks[name] for name in ("success", "sparsity", "invisibility")]
    frames = [compare_block(rows, source, block, "published") for block in blocks]
    shown = where(rows.frame("perturbations"), blocks[0].match)
    for keys, _ in blocks[0].values:
        own = where(shown, keys)
        ours = unpublished(own, source.name, {"busy_share": 0, "total_change": 2})
        frames.append(ours.assign(**keys))
    return pd.concat(frames, ignore_index=True)


def print_appearance(tidy: pd.DataFrame) -> PrintedTable:
    """Table 2, with what the words mean here."""
    published = {"success", "unchanged_share", "similarity"}
    lines = []
    for method in tidy["method"].unique():
        line = [Entry(METHODS[method])]
        for quantity in _SHAPES:
            pair = _pair(row_of(tidy, method=method, quantity=quantity))
            line += pair if quantity in published else pair[:1]
        lines.append(line)
    widths = {name: 2 if name in published else 1 for name in _SHAPES}
    return PrintedTable(
        title="Attacks by success, sparsity and invisibility",
        groups=[("", 1), *((label, widths[name]) for name, label in _SHAPES.items())],
        columns=["Method", *(each for name in _SHAPES for each in _BESIDE[: widths[name]])],
        rows=lines,
        notes=[
            *verdict_notes(tidy),
            "Sparsity: percentage of pixels that are what they were. Invisibility: structural "
            "similarity (Wang et al. 2004) in percent. Change where the image varies: percentage "
            "of the sum of changes at pixels that differ by 0.1 or more from a neighbour. Means "
            "over the attacks that succeed. The paper defines none of them.",
        ],
    )


def efficiency(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 3: seconds, nodes and unfinished instances by network, distance and solver.

    Returns:
        The columns of `compare_block`, `solver` and `distance_name`; solvers that the paper lacks
        have no published values. `refuted` counts wrong proofs, `taken` names the solvers that a
        model went to, `time_limit` is in seconds.
    """
    source = sources["benmhenni"]
    frames = []
    pairs: dict[tuple[str, str], None] = {}
    for solver, short in _BLOCKS.items():
        for letter in ("times", "nodes", "unfinished"):
            block = source.blocks[f"{short}_{letter}"]
            compared = compare_block(rows, source, block, "published")
            frames.append(compared.assign(solver=solver))
            for keys, _ in block.values:
                pairs[keys["paper_network"], keys["distance_name"]] = None
    decimals: dict[str, int | None] = {"seconds_total": 1, "nodes": 0, "unfinished": 0}
    attacks = where(rows.frame("attacks"), {"experiment": EFFICIENCY})
    printed = {
        (row["quantity"], row["paper_network"], row["distance_name"], row["solver"])
        for frame in frames
        for row in frame.to_dict("records")
    }
    networks = sorted(set(attacks["paper_network"]))
    beside = {
        (twin, distance): None
        for network, distance in pairs
        for twin in networks
        if twin_of(twin)[0] == network
    }
    for network, distance in pairs | beside:
        for solver in SOLVERS:
            match: dict[str, Any] = {
                "paper_network": network,
                "distance_name": distance,
                "solver": solver,
            }
            own = where(attacks, match)
            lacking = {
                name: digits
                for name, digits in decimals.items()
                if (name, network, distance, solver) not in printed
            }
            if len(own) and lacking:
                ours = unpublished(own, source.name, lacking, network=network)
                frames.append(ours.assign(**match))
    tidy = pd.concat(frames, ignore_index=True)
    same = ["paper_network", "distance_name", "solver"]
    refuted = attacks[attacks["refuted"]].groupby(same).size().rename("refuted")
    taken = attacks.dropna(subset=["solver_taken"]).groupby(same)["solver_taken"]
    named = taken.agg(lambda names: " ".join(sorted(set(names)))).rename("taken")
    limits = attacks.groupby(same)["time_limit"].max()
    for told in (refuted, named, limits):
        tidy = tidy.merge(told, "left", same)
    return tidy


def print_efficiency(tidy: pd.DataFrame) -> PrintedTable:
    """Table 3: one line for each network, distance and solver."""
    lines: list[list[Entry]] = []
    pairs = list(
        tidy[["network", "distance_name"]].drop_duplicates().itertuples(index=False, name=None)
    )
    order = [network for network, _ in pairs]
    # A twin comes behind the network that it stands beside.
    pairs.sort(key=lambda pair: (order.index(twin_of(pair[0])[0]), bool(twin_of(pair[0])[1])))
    for network, distance in pairs:
        part = where(tidy, {"network": network, "distance_name": distance})
        for solver in SOLVERS:
            own = where(part, {"solver": solver})
            if own.empty:
                continue
            line = [
                Entry(", ".join(filter(None, twin_of(network)))),
                Entry(DISTANCES[distance]),
                Entry(_solver(solver, own["taken"].iloc[0])),
            ]
            late = row_of(own, quantity="unfinished")
            unfinished = late is not None and late["ours"] > 0
            for quantity in _QUANTITIES:
                ours, paper = _pair(row_of(own, quantity=quantity))
                if quantity != "unfinished" and unfinished:
                    ours = at_least(ours)
                line += [ours, paper if solver in _BLOCKS else Entry("")]
            lines.append(line)
    wrong = tidy.dropna(subset=["refuted"]).drop_duplicates(["network", "distance_name", "solver"])
    notes = [
        *verdict_notes(tidy),
        "T and nodes: means over all instances; ≥ where some did not finish, which count with the "
        f"time limit. F: unfinished instances of {INSTANCES}. Every solver has the same instances, "
        "the same way to bounds of the neurons and, but for MIP_Verify, the same model.",
        "MIP_Verify: the model of MIPVerify.jl (Tjeng et al. 2019), and in brackets who solves it.",
        *_unequal_limits(tidy),
        *_twins(tidy),
    ]
    for row in wrong.to_dict("records"):
        notes.append(
            f"{SOLVERS[row['solver']]} on {row['network']} in {DISTANCES[row['distance_name']]}: "
            f"{row['refuted']:.0f} bounds said to be proved lie above an attack that another "
            "solver found and the network confirmed; they count as unfinished."
        )
    return PrintedTable(
        title="Solvers on the same attacks: time, nodes of the tree, unfinished instances",
        groups=[("", 3), *((label, 2) for label in _QUANTITIES.values())],
        columns=["Network", "Distance", "Solver", *(_BESIDE * len(_QUANTITIES))],
        rows=without_repeats(lines, 2),
        rules=rules_at(lines),
        notes=notes,
        text_columns=3,
    )


def _twins(tidy: pd.DataFrame) -> list[str]:
    """What a network is that the paper does not have."""
    if not any(twin_of(network)[1] for network in tidy["network"].unique()):
        return []
    return [
        "Defended, undefended: the network above, trained the other way round; the paper has both "
        "kinds and does not say which of its networks are which."
    ]


def _unequal_limits(tidy: pd.DataFrame) -> list[str]:
    """What solvers were given, where it is not the same for all."""
    given = tidy.dropna(subset=["time_limit"]).groupby("solver")["time_limit"].unique()
    if len({limit for limits in given for limit in limits}) < 2:
        return []
    each = [
        f"{SOLVERS[solver]} {' or '.join(f'{limit:,.0f}' for limit in sorted(given[solver]))}"
        for solver in SOLVERS
        if solver in given.index
    ]
    return [f"Time limits in seconds: {', '.join(each)}."]


def _solver(name: str, taken: str | float) -> str:
    """A solver, and those that it hands its model to."""
    others = taken.split() if isinstance(taken, str) else []
    handed = [SOLVERS[each] for each in others if each != name]
    return f"{SOLVERS[name]} ({', '.join(handed)})" if handed else SOLVERS[name]


def _pair(row: pd.Series[Any] | None) -> list[Entry]:
    """Ours and the paper's; our seconds to a hundredth, for small networks take no tenth."""
    decimals = 2 if row is not None and row["quantity"] == "seconds_total" else None
    return beside(row, number_of(row, "ours", decimals))


TABLES: dict[str, TableKind] = {
    "benmhenni_table1": TableKind(networks, print_networks),
    "benmhenni_table2": TableKind(appearance, print_appearance),
    "benmhenni_table3": TableKind(efficiency, print_efficiency),
}
