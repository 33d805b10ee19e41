"""The competition's figure: instances solved against time."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from advmip.reporting import style
from advmip.reporting.outputs import FigureKind, Sources
from advmip.reporting.rows import Rows, where
from advmip.reporting.vnncomp.answers import all_answers, solved
from advmip.reporting.vnncomp.names import OURS, in_order

_COLUMNS = 4


def solved_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 1: how many instances each has solved within which time, refuted answers left out.

    Returns:
        A row for each solved instance: network (the benchmark), tool, instance, seconds, solved
        (how many the tool has solved by then), and instances (how many there are).
    """
    answers = all_answers(rows)
    instances = answers.groupby("network")["instance"].nunique()
    found = solved(answers).sort_values("seconds", kind="stable")
    found = found.assign(
        solved=found.groupby(["network", "tool"]).cumcount() + 1,
        instances=found["network"].map(instances),
    )
    order = {name: place for place, name in enumerate(answers["network"].unique())}
    found = found.sort_values("network", key=lambda names: names.map(order), kind="stable")
    return found[["network", "tool", "instance", "seconds", "solved", "instances"]]


def draw_solved(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 1: a panel for each benchmark, a line for each that answers; ours is the thick one."""
    benchmarks = list(data["network"].unique())
    columns = max(1, min(len(benchmarks), _COLUMNS))
    lines = max(1, math.ceil(len(benchmarks) / columns))
    figure.set_size_inches(style.PANEL_WIDTH * max(columns, 1.5), style.PANEL_HEIGHT * lines + 0.5)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    looks = _looks(in_order(data["tool"]))
    for axis, benchmark in zip(axes, benchmarks, strict=False):
        _draw_benchmark(axis, where(data, {"network": benchmark}), looks)
    for axis in axes[len(benchmarks) :]:
        axis.set_visible(False)
    handles = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    shown = [name for name in looks if name in handles]
    figure.legend(
        [handles[name] for name in shown],
        shown,
        loc="outside lower center",
        ncols=min(len(shown), 5),
    )


def _looks(tools: list[str]) -> dict[str, dict[str, Any]]:
    """How the line of each looks, the same in all panels."""
    others = iter(style.OTHER_LINES)
    looks: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if tool == OURS:
            colour, dashes, _ = style.LINES[0]
            looks[tool] = {"color": colour, "linestyle": dashes, "linewidth": 2.2, "zorder": 4}
        else:
            colour, dashes = next(others)
            looks[tool] = {"color": colour, "linestyle": dashes, "linewidth": 1.2}
    return looks


def _draw_benchmark(axis: Axes, data: pd.DataFrame, looks: dict[str, dict[str, Any]]) -> None:
    first, last = float(data["seconds"].min()), float(data["seconds"].max())
    start, end = 0.8 * first, 1.3 * last
    for tool, look in looks.items():
        own = where(data, {"tool": tool})
        if len(own):
            axis.step(
                [own["seconds"].iloc[0], *own["seconds"], end],
                [0, *own["solved"], own["solved"].iloc[-1]],
                where="post",
                label=tool,
                **look,
            )
    whole = int(data["instances"].iloc[0])
    axis.set(xscale="log", xlim=(start, end), ylim=(0, 1.05 * whole), xlabel="time (s)")
    axis.set_title(str(data["network"].iloc[0]))
    axis.axhline(whole, color=style.LIGHT, linewidth=0.8)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if end < 30 * start else (1,)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_ylabel(f"solved of {whole}")


FIGURES: dict[str, FigureKind] = {"vnncomp_figure1": FigureKind(solved_data, draw_solved)}
