"""The tables as they are printed: from tidy rows to entries, headers and notes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.entries import (
    beside,
    number_of,
    row_of,
    rules_at,
    verdict_notes,
    verdict_of,
    without_repeats,
)
from advmip.reporting.formats import MINUS, Entry, PrintedTable
from advmip.reporting.zhao_kronqvist.names import (
    ACCURACIES,
    ALL_WEIGHTS_FREE,
    METHODS,
    NETWORKS,
    QUANTITIES,
)

_BESIDE = ["ours", "paper", "as described"]


def training_methods(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1 as printed: accuracies with the change from the initial network in brackets."""
    lines: list[list[Entry]] = []
    for network in NETWORKS:
        for method in METHODS:
            part = tidy[(tidy["network"] == network) & (tidy["method"] == method)]
            line = [Entry(network), Entry(method)]
            for quantity in ACCURACIES:
                ours, theirs = (
                    row_of(part, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS
                )
                line += [
                    Entry(_changed(ours, "ours", "change"), verdict=verdict_of(ours)),
                    Entry(_changed(ours, "published", "published_change"), quiet=True),
                    Entry(_changed(theirs, "ours", "change")),
                ]
            seconds = row_of(part, quantity="seconds_total", protocol="published")
            line.append(Entry(number_of(seconds, "ours", 1)))
            lines.append(line)
    groups = [("", 2), *((QUANTITIES[quantity], 3) for quantity in ACCURACIES), ("Time", 1)]
    return PrintedTable(
        title="What each way of training costs and buys, with |X_adv| = 50 "
        "(in brackets: change from the initial network, in percentage points)",
        groups=groups,
        columns=["Network", "Method", *_BESIDE * len(ACCURACIES), "(s)"],
        rows=without_repeats(lines),
        rules=rules_at(lines),
        notes=[
            *verdict_notes(tidy[tidy["quantity"].isin(ACCURACIES)]),
            _protocol_note(tidy[tidy["method"] == "fine-tuned"]),
        ],
        text_columns=2,
    )


def fine_tuning(tidy: pd.DataFrame) -> PrintedTable:
    """Tables 2, 3, 4 and the lecture's as printed: best per number of examples in bold."""
    free = tidy[tidy["variant"] == ALL_WEIGHTS_FREE]
    tidy = tidy[tidy["variant"].isna()]
    columns = [*_BESIDE, *([ALL_WEIGHTS_FREE] if len(free) else [])]
    settings = tidy[["adversarial_count", "omega"]].drop_duplicates()
    lines: list[list[Entry]] = []
    for count, omega in settings.itertuples(index=False, name=None):
        line = [Entry(f"{count:g}"), Entry("" if pd.isna(omega) else f"{omega:.1f}")]
        same_count = tidy[tidy["adversarial_count"] == count]
        same = same_count[
            same_count["omega"].isna() if pd.isna(omega) else same_count["omega"] == omega
        ]
        for quantity in QUANTITIES:
            line += _beside_each_other(same, same_count, quantity)
            if len(free):
                match = {"adversarial_count": count, "omega": omega, "quantity": quantity}
                line.append(Entry(number_of(row_of(free, **match), "ours")))
        lines.append(line)
    network = tidy["network"].iloc[0]
    length = tidy["iterations"].max()
    return PrintedTable(
        title=f"Fine-tuning {network} with Algorithm 1"
        + ("" if pd.isna(length) else f", {length:g} iterations"),
        groups=[("", 2), *((label, len(columns)) for label in QUANTITIES.values())],
        columns=["|X_adv|", "ω", *columns * len(QUANTITIES)],
        rows=without_repeats(lines),
        rules=rules_at(lines),
        notes=[*verdict_notes(tidy), _protocol_note(tidy)],
    )


def running_times(tidy: pd.DataFrame) -> PrintedTable:
    """Table 5 as printed, with the ratio of the paper's time to ours."""
    projections = tidy[tidy["quantity"] == "seconds_projection"]
    losses = tidy[tidy["quantity"] == "seconds"]
    lines: list[list[Entry]] = []
    for network in NETWORKS:
        part = projections[projections["network"] == network]
        settings = part[["adversarial_count", "iteration"]].drop_duplicates()
        loss = row_of(losses[losses["network"] == network], protocol="published")
        seconds = [
            Entry(number_of(loss, "ours", 2)),
            Entry(number_of(loss, "published", 2), quiet=True),
        ]
        for count, iteration in settings.itertuples(index=False, name=None):
            same = part[(part["adversarial_count"] == count) & (part["iteration"] == iteration)]
            ours, described = (row_of(same, protocol=protocol) for protocol in PROTOCOLS)
            is_last = iteration == "last" and ours is not None and pd.notna(ours["iterations"])
            shown = f"{ours['iterations']:g}" if is_last and ours is not None else str(iteration)
            lines.append(
                [
                    Entry(network),
                    Entry(f"{count:g}"),
                    Entry(shown),
                    Entry(number_of(ours, "ours", 3)),
                    Entry(number_of(ours, "published", 2), quiet=True),
                    Entry(number_of(described, "ours", 3)),
                    Entry(_ratio(ours)),
                    *seconds,
                ]
            )
            seconds = [Entry(""), Entry("")]
    return PrintedTable(
        title="Seconds of the main operations of Algorithm 1 (k: iteration)",
        groups=[("", 3), ("QP (s)", 4), ("Loss on the training set (s)", 2)],
        columns=["Network", "|X_adv|", "k", *_BESIDE, "paper / ours", "ours", "paper"],
        rows=without_repeats(lines),
        rules=rules_at(lines),
        notes=["The paper's times are those of Gurobi and PyTorch on ten cores."],
    )


def over_seeds(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 1 as printed: mean and half width of its interval, the paper's value beside."""
    settings = tidy[["network", "adversarial_count", "omega"]].drop_duplicates()
    lines: list[list[Entry]] = []
    for network, count, omega in settings.itertuples(index=False, name=None):
        same = tidy[
            (tidy["network"] == network)
            & (tidy["adversarial_count"] == count)
            & (tidy["omega"] == omega)
        ]
        line = [Entry(network), Entry(f"{count:g}"), Entry(f"{omega:.1f}")]
        for quantity in QUANTITIES:
            ours, described = (
                row_of(same, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS
            )
            line += [
                Entry(_with_interval(ours) + _further_mark(ours)),
                Entry(number_of(ours, "published"), quiet=True),
                Entry(_with_interval(described)),
            ]
        lines.append(line)
    return PrintedTable(
        title="Tables 2 and 3 over seeds of the attack: mean ± half width of its 95 % interval",
        groups=[("", 3), *((label, 3) for label in QUANTITIES.values())],
        columns=["Network", "|X_adv|", "ω", *_BESIDE * len(QUANTITIES)],
        rows=without_repeats(lines, 2),
        rules=rules_at(lines, 2),
        notes=_seed_notes(tidy),
    )


def attacked_images(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 3 as printed: mean and half width of its interval, the paper's value beside."""
    lines: list[list[Entry]] = []
    keys = ["network", "adversarial_count", "attacked_images", "omega"]
    for _, same in tidy.groupby(keys, sort=False, dropna=False):
        network, count, images, omega = (same[key].iloc[0] for key in keys)
        shown = "all" if pd.isna(images) else f"{images:,.0f}"
        line = [Entry(network), Entry(f"{count:g}"), Entry(shown), Entry(f"{omega:.1f}")]
        for quantity in QUANTITIES:
            ours = row_of(same, quantity=quantity)
            line += beside(ours, _with_interval(ours))
        lines.append(line)
    return PrintedTable(
        title="Tables 2 and 3 by the number of training images that the examples are chosen from: "
        "mean ± half width of its 95 % interval",
        groups=[("", 4), *((label, 2) for label in QUANTITIES.values())],
        columns=["Network", "|X_adv|", "images", "ω", *["ours", "paper"] * len(QUANTITIES)],
        rows=without_repeats(lines, 3),
        rules=rules_at(lines, 3),
        notes=[*verdict_notes(tidy), f"Attacks as published. {_seeds_in_words(tidy)}"],
    )


def share_inside(tidy: pd.DataFrame, lower: str, upper: str) -> tuple[int, int]:
    """How many published values lie between two columns, and of how many.

    Args:
        tidy: Rows of `over_seeds`.
        lower: The column of lower ends.
        upper: The column of upper ends.
    """
    known = tidy.dropna(subset=["published", lower, upper])
    inside = (known[lower] <= known["published"]) & (known["published"] <= known[upper])
    return int(inside.sum()), len(known)


def _changed(row: pd.Series[Any] | None, column: str, change: str) -> str:
    number = number_of(row, column, 2)
    if row is None or pd.isna(row[change]):
        return number
    return f"{number} ({row[change]:+.2f})".replace("-", MINUS)


def _ratio(row: pd.Series[Any] | None) -> str:
    if row is None or pd.isna(row["ours"]) or pd.isna(row["published"]):
        return ""
    return f"{row['published'] / row['ours']:,.0f}"


def _beside_each_other(same: pd.DataFrame, same_count: pd.DataFrame, quantity: str) -> list[Entry]:
    """Ours as published, the paper's value, ours as described; the best omega's in bold."""
    ours, described = (row_of(same, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS)
    rivals = same_count[same_count["quantity"] == quantity]
    compete = quantity in ACCURACIES and rivals["omega"].nunique() > 1

    def is_best(row: pd.Series[Any] | None, column: str, protocol: str) -> bool:
        if row is None or not compete or pd.isna(row[column]):
            return False
        return bool(row[column] == rivals.loc[rivals["protocol"] == protocol, column].max())

    return [
        Entry(number_of(ours, "ours"), is_best(ours, "ours", "published"), verdict_of(ours)),
        Entry(
            number_of(ours, "published"),
            is_best(ours, "published", "published"),
            quiet=True,
        ),
        Entry(number_of(described, "ours"), is_best(described, "ours", "described")),
    ]


def _with_interval(row: pd.Series[Any] | None) -> str:
    number = number_of(row, "ours")
    if row is None or pd.isna(row["upper"]):
        return number
    return f"{number} ± {row['upper'] - row['ours']:.{int(row['decimals'])}f}"


def _further_mark(row: pd.Series[Any] | None) -> str:
    """A star where one further run may well have the paper's value."""
    if row is None or pd.isna(row["further_lower"]) or pd.isna(row["published"]):
        return ""
    return " *" if row["further_lower"] <= row["published"] <= row["further_upper"] else ""


def _protocol_note(tidy: pd.DataFrame) -> str:
    return (
        "Ours: attacks as published, which the paper's values are compared with; as described: "
        f"attacks as the paper's text has them. {_seeds_in_words(tidy)}"
    )


def _seeds_in_words(tidy: pd.DataFrame) -> str:
    seeds = tidy.loc[tidy["protocol"] == "published", "seeds"].dropna()
    least, most = int(seeds.min()), int(seeds.max())
    counts = f"{least}" if least == most else f"{least} to {most}"
    runs = "one seed" if most == 1 else f"the mean over {counts} seeds"
    return f"Fine-tuned networks: {runs} of the attack that picks the examples."


def _seed_notes(tidy: pd.DataFrame) -> list[str]:
    published = tidy[tidy["protocol"] == "published"]
    mean, of = share_inside(published, "lower", "upper")
    if not of:
        return ["One seed at this scale: no intervals."]
    further, _ = share_inside(published, "further_lower", "further_upper")
    return [
        f"{_seeds_in_words(tidy)} The paper's value, one run, lies "
        f"inside the 95 % interval of the mean in {mean} of {of} cases, and inside that of one "
        f"further run (marked *) in {further}."
    ]
