"""The tables: one function each from tidy rows to a data frame, and how each is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from advmip.errors import unknown_name
from advmip.reporting.comparisons import (
    COMPARISON_COLUMNS,
    PROTOCOLS,
    Verdict,
    compare_block,
    one_per_seed,
)
from advmip.reporting.formats import DASH, LEGEND, MINUS, Entry, PrintedTable, to_latex, to_markdown
from advmip.reporting.intervals import measure
from advmip.reporting.plan import Plan
from advmip.reporting.predicates import FINE_TUNED
from advmip.reporting.rows import Rows
from advmip.reporting.sources import Source, read_sources
from advmip.storage import write_atomically

QUANTITIES = {
    "training_loss": "Loss",
    "clean_accuracy": "Clean (%)",
    "fgsm_accuracy": "FGSM (%)",
    "pgd_accuracy": "PGD (%)",
}

ACCURACIES = [quantity for quantity in QUANTITIES if quantity.endswith("_accuracy")]

Sources = Mapping[str, Source]


@dataclass(frozen=True)
class Table:
    """One table of the catalogue.

    Attributes:
        rows: From rows and sources to the tidy data frame.
        printed: From the tidy data frame to the table as it is printed.
    """

    rows: Callable[[Rows, Sources], pd.DataFrame]
    printed: Callable[[pd.DataFrame], PrintedTable]


def write_table(
    name: str, rows_dir: Path, papers_dir: Path, out_stem: Path, plan: Plan | None = None
) -> None:
    """Make a table and write it as tidy CSV, Markdown and LaTeX.

    Args:
        name: Its name in the catalogue, such as "zk_table2".
        rows_dir: Folder of the row files of the source's experiments.
        papers_dir: Folder of the sources' YAML files.
        out_stem: Path without suffix; `.csv`, `.md` and `.tex` are appended.
        plan: What the scale sets out to run, as in `Rows`.

    Raises:
        InputError: The name is unknown, or rows or published values are missing.
    """
    if name not in TABLES:
        raise unknown_name("table", name, TABLES)
    tidy = TABLES[name].rows(Rows(rows_dir, plan), read_sources(papers_dir))
    printed = TABLES[name].printed(tidy)
    with write_atomically(_beside(out_stem, ".csv")) as temporary:
        tidy.to_csv(temporary, index=False)
    with write_atomically(_beside(out_stem, ".md")) as temporary:
        temporary.write_text(to_markdown(printed), encoding="utf-8")
    with write_atomically(_beside(out_stem, ".tex")) as temporary:
        temporary.write_text(to_latex(printed), encoding="utf-8")


def print_table(name: str, csv: Path) -> PrintedTable:
    """The printed form of a table that `write_table` wrote.

    Args:
        name: Its name in the catalogue.
        csv: The tidy CSV file.
    """
    return TABLES[name].printed(pd.read_csv(csv, keep_default_na=False, na_values=[""]))


def training_methods(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 1: what each way of training costs and buys, with fifty adversarial examples.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        The columns of `compare_block`, `method`, and `change` and `published_change` from the
        initial network in percentage points; one row per network, method, protocol and quantity
        (three accuracies, and `seconds_total` where the method takes time).
    """
    source = sources["zk"]
    frames = []
    for network, stem in _STEMS.items():
        initial, retrained, fine_tuned = (
            source.blocks[f"{stem}_{part}"] for part in ("initial", "retrained", "finetuned")
        )
        for protocol in PROTOCOLS:
            fifty = compare_block(rows, source, fine_tuned, protocol)
            fifty = fifty[(fifty["adversarial_count"] == 50) & (fifty["omega"] == 0.0)]
            parts = {
                "initial": compare_block(rows, source, initial, protocol),
                "adversarial data added": compare_block(rows, source, retrained, protocol),
                _ADVERSARIAL_TRAINING: _unpublished(
                    rows, network, _ADVERSARIAL_TRAINING, protocol, ACCURACIES
                ),
                "fine-tuned": fifty,
            }
            for method, part in parts.items():
                seconds = _seconds(rows, network, method, protocol)
                part = part[part["quantity"].isin(ACCURACIES)]
                frames.append(pd.concat([part, seconds], ignore_index=True).assign(method=method))
    tidy = pd.concat(frames, ignore_index=True)
    start = tidy[tidy["method"] == "initial"].set_index(["network", "protocol", "quantity"])
    index = pd.MultiIndex.from_frame(tidy[["network", "protocol", "quantity"]])
    for change, value in (("change", "ours"), ("published_change", "published")):
        first = start[value].reindex(index).to_numpy()
        tidy[change] = (tidy[value] - first).where(tidy["method"] != "initial")
    return tidy


def fine_tuning(source: str, stem: str) -> Callable[[Rows, Sources], pd.DataFrame]:
    """Tables 2, 3, 4 and the lecture's: fine-tuned accuracy by number of examples and omega.

    Args:
        source: Short name of the source.
        stem: Beginning of the names of its blocks of one network.

    Returns:
        A function from rows and sources to the columns of `compare_block`, one row per setting,
        protocol and quantity; the initial network has zero examples.
    """

    def rows_to_frame(rows: Rows, sources: Sources) -> pd.DataFrame:
        chosen = sources[source]
        initial, fine_tuned = (chosen.blocks[f"{stem}_{part}"] for part in ("initial", "finetuned"))
        frames = []
        for protocol in PROTOCOLS:
            first = compare_block(rows, chosen, initial, protocol)
            frames.append(first.assign(adversarial_count=0, omega=float("nan")))
            frames.append(compare_block(rows, chosen, fine_tuned, protocol))
        return _concatenated(frames)

    return rows_to_frame


def running_times(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Table 5: seconds of one projection, first and last, and of one pass of the loss.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        The columns of `compare_block`, one row per network, number of examples and iteration
        (quantity `seconds_projection`), and one per network (quantity `seconds`).
    """
    source = sources["zk"]
    blocks = [source.blocks[f"{stem}_projection_time"] for stem in _STEMS.values()]
    frames = [
        compare_block(rows, source, block, protocol)
        for block in [*blocks, source.blocks["loss_time"]]
        for protocol in PROTOCOLS
    ]
    return _concatenated(frames).drop(columns="paper_network")


def over_seeds(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 1: Tables 2 and 3 over the seeds of the attack that picks the examples.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        The columns of `compare_block`; `lower` and `upper` bound the mean over the seeds, and
        `further_lower` and `further_upper` one further run, such as the paper's.
    """
    source = sources["zk"]
    blocks = [source.blocks[f"{stem}_finetuned"] for stem in ("cnn_light", "cnn")]
    return _concatenated(
        [compare_block(rows, source, block, protocol) for block in blocks for protocol in PROTOCOLS]
    )


def print_training_methods(tidy: pd.DataFrame) -> PrintedTable:
    """Table 1 as printed: accuracies with the change from the initial network in brackets."""
    lines: list[list[Entry]] = []
    rules: set[int] = set()
    for network in _STEMS:
        rules.add(len(lines))
        for method in _METHODS:
            part = tidy[(tidy["network"] == network) & (tidy["method"] == method)]
            line = [Entry(network if method == _METHODS[0] else ""), Entry(method)]
            for quantity in ACCURACIES:
                ours, theirs = (
                    _row(part, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS
                )
                line += [
                    Entry(_changed(ours, "ours", "change"), verdict=_verdict(ours)),
                    Entry(_changed(ours, "published", "published_change"), quiet=True),
                    Entry(_changed(theirs, "ours", "change")),
                ]
            seconds = _row(part, quantity="seconds_total", protocol="published")
            line.append(Entry(_number(seconds, "ours", 1)))
            lines.append(line)
    groups = [("", 2), *((QUANTITIES[quantity], 3) for quantity in ACCURACIES), ("Time", 1)]
    return PrintedTable(
        title="What each way of training costs and buys, with |X_adv| = 50 "
        "(in brackets: change from the initial network, in percentage points)",
        groups=groups,
        columns=["Network", "Method", *_BESIDE * len(ACCURACIES), "(s)"],
        rows=lines,
        rules=frozenset(rules - {0}),
        notes=_notes(tidy[tidy["quantity"].isin(ACCURACIES)]),
        text_columns=2,
    )


def print_fine_tuning(tidy: pd.DataFrame) -> PrintedTable:
    """Tables 2, 3, 4 and the lecture's as printed: best per number of examples in bold."""
    settings = tidy[["adversarial_count", "omega"]].drop_duplicates()
    lines: list[list[Entry]] = []
    rules: set[int] = set()
    previous = None
    for count, omega in settings.itertuples(index=False, name=None):
        if count != previous:
            rules.add(len(lines))
        line = [
            Entry(f"{count:g}" if count != previous else ""),
            Entry("" if pd.isna(omega) else f"{omega:.1f}"),
        ]
        same_count = tidy[tidy["adversarial_count"] == count]
        same = same_count[
            same_count["omega"].isna() if pd.isna(omega) else same_count["omega"] == omega
        ]
        for quantity in QUANTITIES:
            line += _beside_each_other(same, same_count, quantity)
        lines.append(line)
        previous = count
    network = tidy["network"].iloc[0]
    length = tidy["iterations"].max()
    return PrintedTable(
        title=f"Fine-tuning {network} with Algorithm 1"
        + ("" if pd.isna(length) else f", {length:g} iterations"),
        groups=[("", 2), *((label, 3) for label in QUANTITIES.values())],
        columns=["|X_adv|", "ω", *_BESIDE * len(QUANTITIES)],
        rows=lines,
        rules=frozenset(rules - {0}),
        notes=_notes(tidy),
    )


def print_running_times(tidy: pd.DataFrame) -> PrintedTable:
    """Table 5 as printed, with the ratio of the paper's time to ours."""
    projections = tidy[tidy["quantity"] == "seconds_projection"]
    losses = tidy[tidy["quantity"] == "seconds"]
    lines: list[list[Entry]] = []
    rules: set[int] = set()
    for network in _STEMS:
        rules.add(len(lines))
        part = projections[projections["network"] == network]
        settings = part[["adversarial_count", "iteration"]].drop_duplicates()
        for count, iteration in settings.itertuples(index=False, name=None):
            first = len(lines) in rules
            same = part[(part["adversarial_count"] == count) & (part["iteration"] == iteration)]
            ours, described = (_row(same, protocol=protocol) for protocol in PROTOCOLS)
            loss = _row(losses[losses["network"] == network], protocol="published")
            is_last = iteration == "last" and ours is not None and pd.notna(ours["iterations"])
            shown = f"{ours['iterations']:g}" if is_last and ours is not None else str(iteration)
            lines.append(
                [
                    Entry(network if first else ""),
                    Entry(f"{count:g}"),
                    Entry(shown),
                    Entry(_number(ours, "ours", 3)),
                    Entry(_number(ours, "published", 2), quiet=True),
                    Entry(_number(described, "ours", 3)),
                    Entry(_ratio(ours)),
                    *(
                        [
                            Entry(_number(loss, "ours", 2)),
                            Entry(_number(loss, "published", 2), quiet=True),
                        ]
                        if first
                        else [Entry(""), Entry("")]
                    ),
                ]
            )
    return PrintedTable(
        title="Seconds of the main operations of Algorithm 1 (k: iteration)",
        groups=[("", 3), ("QP (s)", 4), ("Loss on the training set (s)", 2)],
        columns=["Network", "|X_adv|", "k", *_BESIDE, "paper / ours", "ours", "paper"],
        rows=lines,
        rules=frozenset(rules - {0}),
        notes=["The paper's times are those of Gurobi and PyTorch on ten cores."],
    )


def print_over_seeds(tidy: pd.DataFrame) -> PrintedTable:
    """Extension 1 as printed: mean and half width of its interval, the paper's value beside."""
    settings = tidy[["network", "adversarial_count", "omega"]].drop_duplicates()
    lines: list[list[Entry]] = []
    rules: set[int] = set()
    before: tuple[object, object] = (None, None)
    for network, count, omega in settings.itertuples(index=False, name=None):
        if (network, count) != before:
            rules.add(len(lines))
        same = tidy[
            (tidy["network"] == network)
            & (tidy["adversarial_count"] == count)
            & (tidy["omega"] == omega)
        ]
        line = [
            Entry(network if network != before[0] else ""),
            Entry(f"{count:g}" if (network, count) != before else ""),
            Entry(f"{omega:.1f}"),
        ]
        for quantity in QUANTITIES:
            ours, described = (
                _row(same, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS
            )
            line += [
                Entry(_with_interval(ours) + _further_mark(ours)),
                Entry(_number(ours, "published"), quiet=True),
                Entry(_with_interval(described)),
            ]
        lines.append(line)
        before = (network, count)
    return PrintedTable(
        title="Tables 2 and 3 over seeds of the attack: mean ± half width of its 95 % interval",
        groups=[("", 3), *((label, 3) for label in QUANTITIES.values())],
        columns=["Network", "|X_adv|", "ω", *_BESIDE * len(QUANTITIES)],
        rows=lines,
        rules=frozenset(rules - {0}),
        notes=_seed_notes(tidy),
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


_STEMS = {"CNNLight": "cnn_light", "CNN": "cnn", "ResNet8": "resnet8"}
_ADVERSARIAL_TRAINING = "PGD adversarial training"
_METHODS = ("initial", "adversarial data added", _ADVERSARIAL_TRAINING, "fine-tuned")
_BESIDE = ["ours", "paper", "as described"]

TABLES: dict[str, Table] = {
    "zk_table1": Table(training_methods, print_training_methods),
    "zk_table2": Table(fine_tuning("zk", "cnn_light"), print_fine_tuning),
    "zk_table3": Table(fine_tuning("zk", "cnn"), print_fine_tuning),
    "zk_table4": Table(fine_tuning("zk", "resnet8"), print_fine_tuning),
    "zk_table5": Table(running_times, print_running_times),
    "kronqvist_table1": Table(fine_tuning("kronqvist", "cnn"), print_fine_tuning),
    "zk_extension1": Table(over_seeds, print_over_seeds),
}


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def _concatenated(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames below each other; columns that are empty in one do not change another's type."""
    return pd.concat([frame.astype(object) for frame in frames], ignore_index=True).infer_objects()


def _unpublished(
    rows: Rows,
    network: str,
    method: str,
    protocol: str,
    quantities: Sequence[str],
    match: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Our values of a method that the source does not have, in the columns of a comparison."""
    own = {"paper_network": network, "method": method, "protocol": protocol}
    chosen = rows.select("evaluations", {**(match or {}), **own})
    records: list[dict[str, Any]] = []
    for quantity in quantities:
        measured = measure(one_per_seed(chosen, quantity).to_numpy())
        records.append(
            {
                "source": "zk",
                "output": "zk_table1",
                "network": network,
                "protocol": protocol,
                "quantity": quantity,
                "ours": measured.mean,
                "lower": measured.lower,
                "upper": measured.upper,
                "seeds": measured.seeds,
            }
        )
    return pd.DataFrame(records).reindex(columns=COMPARISON_COLUMNS)


def _seconds(rows: Rows, network: str, method: str, protocol: str) -> pd.DataFrame:
    """The time of a method; none for the initial network."""
    if method == "initial":
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    match = {**FINE_TUNED, "adversarial_count": 50, "omega": 0.0} if method == "fine-tuned" else {}
    return _unpublished(rows, network, method, protocol, ["seconds_total"], match)


def _row(frame: pd.DataFrame, **match: object) -> pd.Series[Any] | None:
    """The one row with the given values, or None."""
    for column, value in match.items():
        frame = frame[frame[column] == value]
    return None if frame.empty else frame.iloc[0]


def _verdict(row: pd.Series[Any] | None) -> Verdict | None:
    known = row is not None and isinstance(row["verdict"], str) and row["verdict"]
    return Verdict(row["verdict"]) if known and row is not None else None


def _number(row: pd.Series[Any] | None, column: str, decimals: int | None = None) -> str:
    """A number with the decimals that the source prints, or others; a dash if it is not there."""
    if row is None or pd.isna(row[column]):
        return "" if row is None or column == "published" else DASH
    return f"{row[column]:.{int(row['decimals']) if decimals is None else decimals}f}"


def _changed(row: pd.Series[Any] | None, column: str, change: str) -> str:
    number = _number(row, column, 2)
    if row is None or pd.isna(row[change]):
        return number
    return f"{number} ({row[change]:+.2f})".replace("-", MINUS)


def _ratio(row: pd.Series[Any] | None) -> str:
    if row is None or pd.isna(row["ours"]) or pd.isna(row["published"]):
        return ""
    return f"{row['published'] / row['ours']:,.0f}"


def _beside_each_other(same: pd.DataFrame, same_count: pd.DataFrame, quantity: str) -> list[Entry]:
    """Ours as published, the paper's value, ours as described; the best omega's in bold."""
    ours, described = (_row(same, quantity=quantity, protocol=protocol) for protocol in PROTOCOLS)
    rivals = same_count[same_count["quantity"] == quantity]
    compete = quantity in ACCURACIES and rivals["omega"].nunique() > 1

    def is_best(row: pd.Series[Any] | None, column: str, protocol: str) -> bool:
        if row is None or not compete or pd.isna(row[column]):
            return False
        return bool(row[column] == rivals.loc[rivals["protocol"] == protocol, column].max())

    return [
        Entry(_number(ours, "ours"), is_best(ours, "ours", "published"), _verdict(ours)),
        Entry(
            _number(ours, "published"),
            is_best(ours, "published", "published"),
            quiet=True,
        ),
        Entry(_number(described, "ours"), is_best(described, "ours", "described")),
    ]


def _with_interval(row: pd.Series[Any] | None) -> str:
    number = _number(row, "ours")
    if row is None or pd.isna(row["upper"]):
        return number
    return f"{number} ± {row['upper'] - row['ours']:.{int(row['decimals'])}f}"


def _further_mark(row: pd.Series[Any] | None) -> str:
    """A star where one further run may well have the paper's value."""
    if row is None or pd.isna(row["further_lower"]) or pd.isna(row["published"]):
        return ""
    return " *" if row["further_lower"] <= row["published"] <= row["further_upper"] else ""


def _notes(tidy: pd.DataFrame) -> list[str]:
    judged = tidy[(tidy["protocol"] == "published") & tidy["verdict"].notna()]
    counts = judged["verdict"].value_counts()
    tally = ", ".join(
        f"{counts[verdict.value]} {verdict.value}" for verdict in Verdict if verdict.value in counts
    )
    notes = [f"Of {len(judged)} published values: {tally}. {LEGEND}."]
    obstacles = judged.loc[judged["verdict"] == Verdict.NOT_COMPARABLE.value, "reason"].unique()
    if len(obstacles):
        notes.append(f"Not comparable: {'; '.join(obstacles)}.")
    seeds = tidy.loc[tidy["protocol"] == "published", "seeds"].max()
    runs = f"the mean over {seeds:g} seeds" if seeds > 1 else "one seed"
    notes.append(
        "Ours: attacks as published, which the paper's values are compared with; as described: "
        f"attacks as the paper's text has them. Fine-tuned networks: {runs} of the attack that "
        "picks the examples."
    )
    return notes


def _seed_notes(tidy: pd.DataFrame) -> list[str]:
    published = tidy[tidy["protocol"] == "published"]
    mean, of = share_inside(published, "lower", "upper")
    further, _ = share_inside(published, "further_lower", "further_upper")
    return [
        f"Seeds: {published['seeds'].max():g} as published. The paper's value, one run, lies "
        f"inside the 95 % interval of the mean in {mean} of {of} cases, and inside that of one "
        f"further run (marked *) in {further}."
    ]
