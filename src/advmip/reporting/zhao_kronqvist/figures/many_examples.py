"""Extension 2: more adversarial examples than the paper could use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

from advmip.reporting import style
from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.outputs import Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.zhao_kronqvist.figures.panels import COUNT_LABEL, LABELS, panel_grid
from advmip.reporting.zhao_kronqvist.names import FINE_TUNED

_ACCURACIES = {
    "clean_accuracy": "Clean test images",
    "fgsm_accuracy": "FGSM",
    "pgd_accuracy": "PGD",
}


def many_examples_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 2: accuracy on CNN with more adversarial examples than the paper could use.

    Returns:
        One row per point: quantity, curve ("paper" or a protocol's label), omega,
        adversarial_count (0: the initial network), accuracy (percent; mean over seeds).
    """
    records: list[dict[str, Any]] = []
    for protocol in PROTOCOLS:
        for quantity in _ACCURACIES:
            records += [
                {"quantity": quantity, "curve": LABELS[protocol], **point}
                for point in _accuracy_by_count(rows, protocol, quantity)
            ]
    block = sources["zk"].blocks["cnn_finetuned"]
    records += [
        {"quantity": quantity, "curve": "paper", **keys, "accuracy": numbers[quantity]}
        for keys, numbers in block.values
        for quantity in _ACCURACIES
    ]
    return pd.DataFrame(records)


def draw_many_examples(figure: Figure, data: pd.DataFrame) -> None:
    """Extension 2: a panel per accuracy; where the paper stopped is a vertical line."""
    (axes,) = panel_grid(figure, 1, len(_ACCURACIES), width=3.0, height=2.9)
    ours = data[data["curve"] == style.PUBLISHED_LABEL]
    paper = data[data["curve"] == "paper"]
    omegas = sorted(paper["omega"].unique())
    counts = sorted(ours["adversarial_count"].unique())
    last = paper["adversarial_count"].max()
    for axis, (quantity, label) in zip(axes, _ACCURACIES.items(), strict=True):
        for omega, colour, marker in zip(omegas, style.OMEGA_COLOURS, "osD", strict=False):
            match = {"quantity": quantity, "omega": omega}
            axis.plot(
                *where(paper, match)[["adversarial_count", "accuracy"]].to_numpy().T,
                **{**style.PAPER_LINE, "marker": marker, "markersize": 4.5},
            )
            axis.plot(
                *where(ours, match)[["adversarial_count", "accuracy"]].to_numpy().T,
                color=colour,
                marker=marker,
                **style.OUR_LINE,
            )
        axis.axvline(last, color=style.GREY, linewidth=0.9, linestyle=":")
        axis.set(xscale="log", xlabel=COUNT_LABEL, title=label)
        axis.xaxis.set_major_locator(FixedLocator(_thinned(counts)))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_minor_formatter(NullFormatter())
    axes[0].set_ylabel("accuracy (%)")
    axes[-1].annotate(
        "the paper\nstops here",
        (last, 0.04),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        color=style.GREY,
        fontsize=7.5,
    )
    handles = [
        *(
            Line2D([], [], marker=marker, color=colour, label=f"ω = {omega:g}")
            for omega, colour, marker in zip(omegas, style.OMEGA_COLOURS, "osD", strict=False)
        ),
        Line2D([], [], label="paper, same marker", **style.PAPER_LINE),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def _thinned(counts: Sequence[float]) -> list[float]:
    """Ticks for a logarithmic axis: each at least a fifth to the right of the one before."""
    ticks: list[float] = []
    for count in counts:
        if not ticks or count >= 1.6 * ticks[-1]:
            ticks.append(count)
    return ticks


def _accuracy_by_count(rows: Rows, protocol: str, quantity: str) -> list[dict[str, Any]]:
    """Our accuracy on CNN by omega and number of examples, of the tables and beyond."""
    frames = [
        rows.select(
            "evaluations",
            {
                **FINE_TUNED,
                "experiment": experiment,
                "paper_network": "CNN",
                "protocol": protocol,
            },
        )
        for experiment in ("tables", "extension2")
        if rows.planned("CNN", protocol, experiment=experiment)
    ]
    if len(frames) < 2:
        return []
    tuned = pd.concat(frames).dropna(subset="omega")
    kept = tuned[["omega", "adversarial_count", quantity]].rename(columns={quantity: "accuracy"})
    means = kept.groupby(["omega", "adversarial_count"]).mean().reset_index()
    return [{str(name): value for name, value in row.items()} for row in means.to_dict("records")]
