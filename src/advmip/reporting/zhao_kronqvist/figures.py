"""The figures: one function each from tidy rows to a drawing and the data that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

from advmip.reporting import style
from advmip.reporting.comparisons import PROTOCOLS, compare_block, one_per_seed
from advmip.reporting.intervals import measure
from advmip.reporting.outputs import FigureKind, Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.sources import Source
from advmip.reporting.zhao_kronqvist.evidence import smallest_violation
from advmip.reporting.zhao_kronqvist.names import (
    ATTACKS,
    FINE_TUNED,
    NETWORKS,
    RUNS,
    SEEDED_NETWORKS,
)
from advmip.reporting.zhao_kronqvist.tables import require_further_seeds

COUNT_LABEL = "number of adversarial examples"
LABELS = {"published": style.PUBLISHED_LABEL, "described": style.DESCRIBED_LABEL}
COLOURS = {"published": style.PUBLISHED_COLOUR, "described": style.DESCRIBED_COLOUR}


def pool_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 1: the candidates after five iterations on CNN.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name; nothing of this figure is published in numbers.

    Returns:
        One row per candidate: protocol, iteration, alpha, violation, loss, adversarial_count and
        kind ("candidate", "Pareto front" or "initial network").
    """
    frames = []
    for protocol in PROTOCOLS:
        if not rows.planned("CNN", protocol, experiment="figure1"):
            continue
        pool = rows.select(
            "pool", {"experiment": "figure1", "paper_network": "CNN", "protocol": protocol}
        )
        pool = pool[pool["seed"] == pool["seed"].min()]
        kind = np.where(pool["pareto"], "Pareto front", "candidate")
        pool = pool.assign(kind=np.where(pool["iteration"] == 0, "initial network", kind))
        frames.append(pool)
    columns = ["protocol", "adversarial_count", "iteration", "alpha", "violation", "loss", "kind"]
    return _joined(frames, columns)


def draw_pool(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 1: loss against V; Pareto front orange, initial network purple, others grey."""
    protocols = [protocol for protocol in PROTOCOLS if protocol in set(data["protocol"])]
    axes = _panels(figure, 1, len(protocols), width=3.2, height=2.8)[0]
    looks = {
        "candidate": {"color": style.LIGHT, "s": 20},
        "Pareto front": {"color": style.FRONT_COLOUR, "s": 34},
        "initial network": {"color": style.INITIAL_COLOUR, "s": 70, "marker": "D"},
    }
    for axis, protocol in zip(axes, protocols, strict=True):
        part = data[data["protocol"] == protocol]
        for kind, look in looks.items():
            points = part[part["kind"] == kind]
            axis.scatter(
                points["violation"],
                points["loss"],
                label=kind,
                edgecolors="white",
                linewidths=0.5,
                zorder=3,
                **look,
            )
        count = part["adversarial_count"].iloc[0]
        axis.set(xlabel="violation V", title=f"{_TITLES[protocol]}, {count:g} examples")
    axes[0].set_ylabel("loss on the training set")
    axes[0].legend(loc="best")


def improvement_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 2: percentage points gained, by network, attack and number of examples.

    The paper's caption says M = 2, its text agrees with Tables 2 to 4 (M = 20): both are here.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        One row per point: network, attack, adversarial_count, curve ("paper", or ours under either
        protocol, or with M = 2), improvement (of the best omega), lower and upper (95 % interval
        over seeds; empty for one) and seeds.
    """
    records: list[dict[str, Any]] = []
    for network, stem in NETWORKS.items():
        for quantity, attack in ATTACKS.items():
            curves = {
                "paper": _published_improvement(sources["zk"], stem, quantity),
                **{
                    LABELS[protocol]: _our_improvement(rows, network, protocol, quantity, RUNS)
                    for protocol in PROTOCOLS
                },
                _FEW_ITERATIONS: _our_improvement(
                    rows, network, "published", quantity, ["figure2"]
                ),
            }
            records += [
                {"network": network, "attack": attack, "curve": curve, **point}
                for curve, points in curves.items()
                for point in points
            ]
    return pd.DataFrame(records)


def draw_improvement(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 2: a row of panels per attack, a column per network."""
    attacks, networks = list(ATTACKS.values()), list(NETWORKS)
    panels = _panels(figure, len(attacks), len(networks), sharex=True, sharey=True)
    looks = {
        "paper": style.PAPER_LINE,
        style.PUBLISHED_LABEL: {"color": style.PUBLISHED_COLOUR, "marker": "o", **style.OUR_LINE},
        style.DESCRIBED_LABEL: {"color": style.DESCRIBED_COLOUR, "marker": "s", **style.OUR_LINE},
        _FEW_ITERATIONS: {"color": style.GREEN, "marker": "^", **style.OUR_LINE},
    }
    for line, attack in zip(panels, attacks, strict=True):
        for axis, network in zip(line, networks, strict=True):
            part = data[(data["attack"] == attack) & (data["network"] == network)]
            for curve, look in looks.items():
                points = part[part["curve"] == curve]
                _band(axis, points, "adversarial_count", "improvement", look)
                axis.plot(points["adversarial_count"], points["improvement"], label=curve, **look)
            axis.axhline(0, color=style.LIGHT, linewidth=0.8, zorder=1)
            axis.set_title(f"{network}, {attack}")
            axis.set_xticks(sorted(data["adversarial_count"].unique()))
        line[0].set_ylabel("improvement\n(percentage points)")
    for axis in panels[-1]:
        axis.set_xlabel(COUNT_LABEL)
    _legend_below(figure, panels[0][0])


def radius_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 3: V and PGD accuracy over the iterations, with and without a radius.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name; of this figure only words are published.

    Returns:
        One row per point: network, protocol, radius, iteration (0: the initial network), violation
        (of the choice with omega = 0 so far), and of the iterate itself iterate_violation and
        pgd_accuracy (percent; neither for the initial network).
    """
    frames = []
    for network in _RADIUS_NETWORKS:
        for protocol in PROTOCOLS:
            if not rows.planned(network, protocol, experiment="figure3"):
                continue
            match = {"experiment": "figure3", "paper_network": network, "protocol": protocol}
            course, pool = (rows.select(kind, match) for kind in ("iterations", "pool"))
            for radius, candidates in pool.groupby("radius"):
                first = candidates["seed"].min()
                iterates = where(course, {"radius": radius, "seed": first}).set_index("iteration")
                frame = pd.DataFrame(
                    {
                        "violation": smallest_violation(candidates)[first],
                        "iterate_violation": iterates["violation"],
                        "pgd_accuracy": iterates["pgd_accuracy"],
                    }
                ).reset_index()
                frames.append(frame.assign(network=network, protocol=protocol, radius=radius))
    numbers = ["violation", "iterate_violation", "pgd_accuracy"]
    return _joined(frames, ["network", "protocol", "radius", "iteration", *numbers])


def draw_radius(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 3: a row of panels per network; V from iteration 3 on at the left, PGD right."""
    networks = list(data["network"].unique())
    panels = _panels(figure, len(networks), 2, width=3.3)
    shown = data[(data["protocol"] == "published") & (data["iteration"] >= _FIRST_SHOWN)]
    radii = sorted(data["radius"].unique())
    quantities = {"violation": "violation V", "pgd_accuracy": "PGD accuracy (%)"}
    for line, network in zip(panels, networks, strict=True):
        for axis, letter, (quantity, label) in zip(line, "ab", quantities.items(), strict=True):
            for radius, colour, marker in zip(radii, style.RADIUS_COLOURS, "os", strict=False):
                part = where(shown, {"network": network, "radius": radius})
                if quantity == "violation":
                    iterates = part["iteration"], part["iterate_violation"]
                    axis.plot(*iterates, color=colour, linestyle=":", linewidth=1.2, alpha=0.7)
                axis.plot(
                    part["iteration"],
                    part[quantity],
                    color=colour,
                    marker=marker,
                    label=rf"$\bar\varepsilon$ = {radius:g}",
                    clip_on=False,
                    **{**style.OUR_LINE, "markersize": 4},
                )
            axis.set(xlabel="iteration k", ylabel=label, title=f"({letter}) {network}")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        line[0].plot(*_PAPER_VIOLATION, label="paper, “~25”", **style.PAPER_LINE)
        line[0].set_yscale("symlog", linthresh=_smallest_decade(shown["violation"]))
        line[0].set_ylim(bottom=0)
    panels[0][0].legend()


def time_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 4: total time and time of the QPs, by network and number of examples.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        One row per point: network, curve ("paper" or "ours"), quantity ("total" or "QPs"),
        adversarial_count and seconds (median over seeds, protocol as published).
    """
    quantities = {"seconds_total": "total", "seconds_projection": "QPs"}
    records: list[dict[str, Any]] = []
    for network, stem in NETWORKS.items():
        match = {**FINE_TUNED, "paper_network": network, "protocol": "published", "omega": 0.0}
        ours = rows.select("evaluations", match)
        for column, quantity in quantities.items():
            for count, seconds in ours.groupby("adversarial_count")[column].median().items():
                point = {"adversarial_count": count, "seconds": seconds}
                records.append({"network": network, "curve": "ours", "quantity": quantity} | point)
            for keys, numbers in sources["zk"].blocks[f"{stem}_total_time"].values:
                point = {**keys, "seconds": numbers[column]}
                records.append({"network": network, "curve": "paper", "quantity": quantity} | point)
    return pd.DataFrame(records)


def draw_time(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 4: a panel per network, seconds on a logarithmic axis."""
    networks = list(NETWORKS)
    (axes,) = _panels(figure, 1, len(networks), sharey=True)
    looks = {
        ("paper", "total"): {**style.PAPER_LINE, "marker": "o"},
        ("paper", "QPs"): {**style.PAPER_LINE, "marker": "s", "linestyle": (0, (1, 2))},
        ("ours", "total"): {"color": style.BLUE, "marker": "o", **style.OUR_LINE},
        ("ours", "QPs"): {"color": style.ORANGE, "marker": "s", **style.OUR_LINE},
    }
    for axis, network in zip(axes, networks, strict=True):
        for (curve, quantity), look in looks.items():
            part = where(data, {"network": network, "curve": curve, "quantity": quantity})
            axis.plot(
                part["adversarial_count"], part["seconds"], label=f"{curve}, {quantity}", **look
            )
        axis.set(yscale="log", title=network, xlabel=COUNT_LABEL)
        axis.set_xticks(sorted(data["adversarial_count"].unique()))
    axes[0].set_ylabel("time (s)")
    _legend_below(figure, axes[0])


def seeds_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 1: FGSM and PGD accuracy over the seeds of the attack.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

    Returns:
        One row per network, number of examples, omega and attack: mean, lower, upper (95 %
        t-interval of the mean), further_lower, further_upper (of one further run), published, and
        one column per seed.
    """
    records: list[dict[str, Any]] = []
    source = sources["zk"]
    require_further_seeds(rows)
    for network in SEEDED_NETWORKS:
        block = source.blocks[f"{NETWORKS[network]}_finetuned"]
        compared = compare_block(rows, source, block, "published").dropna(subset="ours")
        for quantity, attack in ATTACKS.items():
            for row in where(compared, {"quantity": quantity}).to_dict("records"):
                match = {
                    **block.match,
                    "adversarial_count": row["adversarial_count"],
                    "omega": row["omega"],
                    "protocol": "published",
                }
                seeds = one_per_seed(rows.select("evaluations", match), quantity)
                kept = ("adversarial_count", "omega", "lower", "upper", "published")
                further = ("further_lower", "further_upper")
                records.append(
                    {"network": network, "attack": attack, "mean": row["ours"]}
                    | {name: row[name] for name in (*kept, *further)}
                    | {f"seed {seed}": value for seed, value in seeds.items()}
                )
    return pd.DataFrame(records)


def draw_seeds(figure: Figure, data: pd.DataFrame) -> None:
    """Extension 1: mean and interval per setting, each seed as a dot, the paper's value open."""
    networks, attacks = list(data["network"].unique()), list(ATTACKS.values())
    panels = _panels(figure, len(attacks), len(networks), width=3.6, sharex=True, sharey="row")
    omegas = sorted(data["omega"].unique())
    counts = sorted(data["adversarial_count"].unique())
    places = {count: place for place, count in enumerate(counts)}
    seeds = [column for column in data.columns if column.startswith("seed ")]
    for line, attack in zip(panels, attacks, strict=True):
        for axis, network in zip(line, networks, strict=True):
            for number, omega in enumerate(omegas):
                colour = style.OMEGA_COLOURS[number % len(style.OMEGA_COLOURS)]
                part = where(data, {"network": network, "attack": attack, "omega": omega})
                x = part["adversarial_count"].map(places) + 0.24 * (number - 1)
                axis.vlines(
                    x,
                    part["further_lower"],
                    part["further_upper"],
                    color=colour,
                    alpha=0.25,
                    linewidth=5,
                )
                axis.errorbar(
                    x,
                    part["mean"],
                    yerr=[part["mean"] - part["lower"], part["upper"] - part["mean"]],
                    fmt="o",
                    color=colour,
                    markersize=4,
                    capsize=2,
                    linewidth=1.2,
                    zorder=4,
                )
                for seed in seeds:
                    axis.plot(x, part[seed], ".", color=colour, alpha=0.5, markersize=2.5)
                axis.plot(
                    x,
                    part["published"],
                    linestyle="none",
                    **_without(style.PAPER_LINE, "linestyle"),
                )
            axis.set_title(f"{network}, {attack}")
            axis.set_xticks(list(places.values()), [f"{count:g}" for count in counts])
        line[0].set_ylabel(f"{attack} accuracy (%)")
    for axis in panels[-1]:
        axis.set_xlabel(COUNT_LABEL)
    handles = [
        *(
            Line2D([], [], marker="o", markersize=4, color=colour, label=f"ω = {omega:g}")
            for omega, colour in zip(omegas, style.OMEGA_COLOURS, strict=False)
        ),
        Line2D([], [], color=style.GREY, alpha=0.4, linewidth=5, label="one further run, 95 %"),
        Line2D([], [], label="paper", **{**style.PAPER_LINE, "linestyle": "none"}),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def many_examples_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Extension 2: accuracy on CNN with more adversarial examples than the paper could use.

    Args:
        rows: Rows of the paper's experiments.
        sources: The sources by short name.

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
    (axes,) = _panels(figure, 1, len(_ACCURACIES), width=3.0, height=2.9)
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


_TITLES = {"published": "As published", "described": "As described"}
# "The violation metrics drop very quickly from ~250 to ~25 in the first 3 iterations."
_RADIUS_NETWORKS = ("CNNLight", "CNN")
_FIRST_SHOWN = 3
_PAPER_VIOLATION = ([3], [25])
_FEW_ITERATIONS = f"{style.PUBLISHED_LABEL}, M = 2"
_ACCURACIES = {
    "clean_accuracy": "Clean test images",
    "fgsm_accuracy": "FGSM",
    "pgd_accuracy": "PGD",
}

FIGURES: dict[str, FigureKind] = {
    "zk_figure1": FigureKind(pool_data, draw_pool),
    "zk_figure2": FigureKind(improvement_data, draw_improvement),
    "zk_figure3": FigureKind(radius_data, draw_radius),
    "zk_figure4": FigureKind(time_data, draw_time),
    "zk_extension1": FigureKind(seeds_data, draw_seeds),
    "zk_extension2": FigureKind(many_examples_data, draw_many_examples),
}


def _joined(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Frames below each other, with the given columns."""
    joined: pd.DataFrame = pd.concat(list(frames), ignore_index=True)
    return joined[list(columns)]


def _panels(
    figure: Figure,
    lines: int,
    columns: int,
    *,
    width: float = style.PANEL_WIDTH,
    height: float = style.PANEL_HEIGHT,
    sharex: bool = False,
    sharey: Literal["row"] | bool = False,
) -> list[list[Axes]]:
    """A grid of axes on a figure sized to hold it, with room for a legend below."""
    figure.set_size_inches(width * columns, height * lines + 0.35)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=sharex, sharey=sharey)
    for axis in grid.ravel():
        sns.despine(ax=axis)
    return [list(line) for line in grid]


def _smallest_decade(values: pd.Series[float]) -> float:
    """The power of ten at or below the smallest positive value; below it an axis is linear to 0."""
    positive = values[values > 0]
    return float(10 ** np.floor(np.log10(positive.min()))) if len(positive) else 1.0


def _legend_below(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _band(axis: Axes, points: pd.DataFrame, x: str, y: str, look: Mapping[str, Any]) -> None:
    """The interval over seeds as error bars, where there is one."""
    known = points.dropna(subset=["lower", "upper"])
    if len(known):
        axis.vlines(
            known[x], known["lower"], known["upper"], color=look["color"], linewidth=1.0, zorder=3
        )


def _thinned(counts: Sequence[float]) -> list[float]:
    """Ticks for a logarithmic axis: each at least a fifth to the right of the one before."""
    ticks: list[float] = []
    for count in counts:
        if not ticks or count >= 1.6 * ticks[-1]:
            ticks.append(count)
    return ticks


def _without(look: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in look.items() if key != name}


def _published_improvement(source: Source, stem: str, quantity: str) -> list[dict[str, Any]]:
    """The improvement of the paper's best omega for each number of examples."""
    initial = source.blocks[f"{stem}_initial"].published({}, quantity)
    best: dict[int, float] = {}
    for keys, numbers in source.blocks[f"{stem}_finetuned"].values:
        count = keys["adversarial_count"]
        best[count] = max(best.get(count, -np.inf), numbers[quantity] - initial)
    return [{"adversarial_count": count, "improvement": gain} for count, gain in best.items()]


def _our_improvement(
    rows: Rows, network: str, protocol: str, quantity: str, experiments: list[str]
) -> list[dict[str, Any]]:
    """The improvement of our best omega for each number of examples, over seeds."""
    if not rows.planned(network, protocol, experiment=experiments[0]):
        return []
    common = {"paper_network": network, "protocol": protocol}
    initial = rows.select("evaluations", {**common, "method": "initial"})
    start = float(one_per_seed(initial, quantity).mean())
    match = {**common, **FINE_TUNED, "experiment": experiments}
    tuned = rows.select("evaluations", match).dropna(subset="omega")
    points = []
    for count, runs in tuned.groupby("adversarial_count"):
        measured = measure(runs.groupby("seed")[quantity].max() - start)
        points.append(
            {
                "adversarial_count": count,
                "improvement": measured.mean,
                "lower": measured.lower,
                "upper": measured.upper,
                "seeds": measured.seeds,
            }
        )
    return points


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
