"""The thesis's tables as they are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from advmip.reporting.entries import (
    at_least,
    beside,
    row_of,
    rules_at,
    verdict_notes,
    without_repeats,
)
from advmip.reporting.formats import Entry, PrintedTable
from advmip.reporting.zhu.names import CONTROL

_BESIDE = ("ours", "thesis")

QUANTITIES = {
    "seconds": "t.pre. (s)",
    "objective": "Objective",
    "total_change": "Sum of changes",
    "euclidean": "Euclidean",
    "bound_gap": "% bound",
    "solved": "% solved",
    "at_limit": "% at time limit",
    "gap_left": "% gap",
    "nodes": "Nodes",
    "seconds_total": "Time (s)",
}

_DISTANCES = {"l0": "L0", "l1": "L1", "l2": "L2", "linf": "L-infinity"}

_MEANS = (
    "Ours: means over the first test images that the network classifies correctly; times hold "
    "everything that is done for the image itself. Where some did not end, they "
    "count with what they took until then: “≥”."
)
# What goes on growing while an instance does not end.
_COSTS = ("nodes", "seconds_total")

_CONTROL = (
    "“None, trained anew” is a control of ours, without examples. All networks trained anew share "
    "their initial weights, which are not those of the network as first trained."
)


def networks(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1, with accuracies."""
    lines = [
        [
            Entry(row["network"]),
            Entry(", ".join(str(row["hidden_layers"]).split())),
            *beside(row),
        ]
        for _, row in tidy.iterrows()
    ]
    return PrintedTable(
        title="The networks: neurons of the hidden layers, and test accuracy in percent",
        groups=[("", 2), ("Accuracy", 2)],
        columns=["Network", "Hidden layers", *_BESIDE],
        rows=lines,
        notes=verdict_notes(tidy),
        text_columns=2,
    )


def by_model(title: str) -> Callable[[pd.DataFrame], PrintedTable]:
    """Tables 2 and 3: one line for each network and model."""

    def printed(tidy: pd.DataFrame) -> PrintedTable:
        return _printed(tidy, title, ["network", "model"], ["Network", "Model"])

    return printed


def by_distance(title: str) -> Callable[[pd.DataFrame], PrintedTable]:
    """Tables 4 to 6: one line for each distance and network."""

    def printed(tidy: pd.DataFrame) -> PrintedTable:
        named = tidy.assign(distance=tidy["distance_name"].map(distance_label))
        return _printed(named, title, ["distance", "network"], ["Distance", "Network"])

    return printed


def accuracies(tidy: pd.DataFrame) -> PrintedTable:
    """Table 7: accuracies of networks by the examples that they were trained on."""
    columns = [
        (distance_label(name) if pd.notna(name) else "Test images", name, "accuracy")
        for name in tidy["distance_name"].unique()
    ]
    return _by_training(
        tidy,
        "Accuracy in percent on adversarial examples, by the examples added in training",
        columns,
        "Ours: examples made on the network as first trained, which misclassifies each of them by "
        "construction; those to test on are made from test images.",
    )


def robustness(tidy: pd.DataFrame) -> PrintedTable:
    """Table 8: lengths of attacks on networks by the examples that they were trained on."""
    objectives, changes = [], []
    for name in tidy["distance_name"].unique():
        label = distance_label(name)
        if (tidy.loc[tidy["distance_name"] == name, "quantity"] == "objective").any():
            objectives.append((label, name, "objective"))
            changes.append((f"% {label}", name, "change"))
        else:
            objectives.append((f"{label}: sum of changes", name, "total_change"))
            changes.append((f"% {label}: sum of changes", name, "change"))
            changes.append((f"% {label}: distance", name, "distance_change"))
    return _by_training(
        tidy,
        "Attacks on retrained networks, and differences to the network as first trained in percent",
        [*objectives, *changes],
        "Ours: means over those of the first test images that both networks classify correctly.",
    )


def distance_label(name: str) -> str:
    """A distance as it is written in tables and figures."""
    kind, _, breakpoints = name.partition("-")
    label = _DISTANCES[kind]
    return f"{label}, {breakpoints} breakpoints" if breakpoints else label


def _widths(tidy: pd.DataFrame) -> dict[str, int]:
    """How many columns each quantity has: one, not two, for what the thesis does not print."""
    printed = tidy["published"].notna().groupby(tidy["quantity"]).any()
    return {str(name): 1 + int(both) for name, both in printed.items()}


def _by_training(
    tidy: pd.DataFrame, title: str, columns: Sequence[tuple[str, Any, str]], note: str
) -> PrintedTable:
    """One line for each network, and one group of columns for each distance and quantity."""
    named = tidy.assign(
        training=tidy["trained_on"].map(_training_label), tested=tidy["distance_name"].fillna("")
    )
    widths = _widths(named)
    heads = [each for *_, name in columns for each in _BESIDE[: widths[name]]]
    lines = []
    for training in named["training"].unique():
        line = [Entry(training)]
        for _, distance, quantity in columns:
            tested = distance if pd.notna(distance) else ""
            row = row_of(named, training=training, tested=tested, quantity=quantity)
            line += beside(row)[: widths[quantity]]
        lines.append(line)
    return PrintedTable(
        title=title,
        groups=[("", 1), *((label, widths[quantity]) for label, _, quantity in columns)],
        columns=["Examples added", *heads],
        rows=lines,
        notes=[*verdict_notes(tidy), note, _CONTROL],
    )


def _training_label(trained_on: Any) -> str:
    if pd.isna(trained_on):
        return "none, as first trained"
    return "none, trained anew" if trained_on == CONTROL else distance_label(trained_on)


def _stopped(same: pd.DataFrame) -> bool:
    """Whether some instances of a line did not end."""
    solved, at_limit = (row_of(same, quantity=name) for name in ("solved", "at_limit"))
    return bool(
        (solved is not None and solved["ours"] < 100.0)
        or (at_limit is not None and at_limit["ours"] > 0.0)
    )


def _printed(
    tidy: pd.DataFrame, title: str, keys: Sequence[str], heads: Sequence[str]
) -> PrintedTable:
    quantities = [name for name in QUANTITIES if name in set(tidy["quantity"])]
    widths = _widths(tidy)
    lines: list[list[Entry]] = []
    # In the order of the thesis, ours behind.
    ranks = [{value: rank for rank, value in enumerate(tidy[key].unique())} for key in keys]
    pairs = tidy[list(keys)].drop_duplicates().itertuples(index=False, name=None)
    for values in sorted(pairs, key=lambda pair: (ranks[0][pair[0]], ranks[1][pair[1]])):
        line = [Entry(value) for value in values]
        same = tidy[(tidy[keys[0]] == values[0]) & (tidy[keys[1]] == values[1])]
        for quantity in quantities:
            ours, *theirs = beside(row_of(same, quantity=quantity))[: widths[quantity]]
            limited = quantity in _COSTS and _stopped(same)
            line += [at_least(ours) if limited else ours, *theirs]
        lines.append(line)
    return PrintedTable(
        title=title,
        groups=[("", 2), *((QUANTITIES[name], widths[name]) for name in quantities)],
        columns=[*heads, *(label for name in quantities for label in _BESIDE[: widths[name]])],
        rows=without_repeats(lines),
        rules=rules_at(lines),
        notes=[*verdict_notes(tidy), _MEANS],
        text_columns=2,
    )
