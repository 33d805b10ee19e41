"""The paper's figures: one function each from tidy rows to a drawing and the data it shows."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from advmip.pictures import picture_of
from advmip.reporting import style
from advmip.reporting.attack_pictures import draw_change, draw_image
from advmip.reporting.ben_mhenni.instances import EFFICIENCY
from advmip.reporting.ben_mhenni.names import DISTANCES, SOLVERS, twin_of
from advmip.reporting.outputs import FigureKind, Sources
from advmip.reporting.performance_profile import draw_profiles, profiles
from advmip.reporting.rows import Rows, where

_ORIGINAL = "original"
_PANELS = {
    _ORIGINAL: "original",
    "l2": "$L_2$",
    "l1": "$L_1$",
    "l1+tv": "$L_1$ + TV",
    "l1+tv-isotropic": "$L_1$ + TV,\nisotropic",
    "l1+tv-image": "$L_1$ + TV\nof the image",
    "l1+tv-image-isotropic": "$L_1$ + TV of the\nimage, isotropic",
}
_OUTCOMES = {
    "branched": ("white", "split"),
    "solution": (style.GREEN, "better attack"),
    "pruned": (style.LIGHT, "pruned: bound too high"),
    "infeasible": (style.VERMILION, "no point"),
}

# Of networks that were trained the other way round; no solver has this mark.
_TWIN = "*"


def penalties_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 1: |x|^p for each power.

    Returns:
        One row per point: power, x and value.
    """
    samples = rows.select("samples", {"experiment": "penalties"})
    power = samples["paper_network"].str.removeprefix("l").astype(float)
    return pd.DataFrame({"power": power, "x": samples["x1"], "value": samples["value"]})


def draw_penalties(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 1: a line for each power; that of 0 jumps at 0."""
    figure.set_size_inches(3.6, 2.8)
    axis = figure.subplots()
    powers = data.groupby("power")
    for (power, own), (colour, dashes, _) in zip(powers, style.LINES, strict=False):
        line = {"color": colour, "linestyle": dashes, "label": f"$p = {power:g}$"}
        if power == 0:
            away = own[own["x"] != 0]
            for _, side in away.groupby(away["x"] > 0):
                axis.plot(side["x"], side["value"], **line)
                line.pop("label", None)
            axis.plot(0, 0, "o", color=colour, markersize=4)
        else:
            axis.plot(own["x"], own["value"], **line)
    axis.set(xlabel="$x_i$", ylabel=r"$\varphi(x_i) = |x_i|^p$")
    axis.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.22))


def denoising_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 2: an image, noisy, and denoised by either variation.

    Returns:
        One row per picture: shown, its total variation, and the picture.
    """
    pictures = rows.select("pictures", {"experiment": "denoising"})
    return pictures[["shown", "variation", "height", "width", "pixels"]]


def draw_denoising(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 2: the pictures in a line, the (anisotropic) total variation below each."""
    figure.set_size_inches(1.6 * len(data), 1.95)
    for panel, row in zip(figure.subplots(1, len(data)), data.to_dict("records"), strict=True):
        draw_image(panel, picture_of(row))
        panel.set_title(str(row["shown"]).replace(" variation", " TV"), fontsize=9)
        panel.set_xlabel(f"TV = {row['variation']:.1f}")


def relaxation_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 3: a ReLU and what its relaxation allows.

    Returns:
        One row per point: h, relu, least and most.
    """
    samples = rows.select("samples", {"experiment": "relaxed_neuron"})
    names = {"x1": "h", "value": "relu", "lower": "least", "upper": "most"}
    return samples[list(names)].rename(columns=names)


def draw_relaxation(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 3: the triangle, with the ReLU as two of its sides."""
    figure.set_size_inches(3.6, 2.8)
    axis = figure.subplots()
    axis.fill_between(
        data["h"], data["least"], data["most"], color=style.BLUE, alpha=0.18, linewidth=0
    )
    axis.plot(
        data["h"], data["most"], color=style.BLUE, linestyle="--", label=r"$\hat{h} = (h + M)/2$"
    )
    axis.plot(data["h"], data["relu"], color=style.VERMILION, label=r"$\hat{h} = \max(h, 0)$")
    ends = [data["h"].min(), 0.0, data["h"].max()]
    axis.set_xticks(ends, ["$-M$", "0", "$M$"])
    axis.set_yticks([0.0, data["most"].max()], ["0", "$M$"])
    axis.set(xlabel="$h$", ylabel=r"$\hat{h}$")
    axis.legend(loc="upper left")


def tree_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 4: the nodes of a tree with their places.

    Returns:
        One row per node: number, parent, neuron, active, value, outcome, x (leaves are a unit
        apart, a parent is between its children) and depth.
    """
    nodes = rows.select("nodes", {"experiment": "tree"})
    nodes = nodes[["number", "parent", "neuron", "active", "value", "outcome"]]
    parents = nodes.set_index("number")["parent"]
    depth: dict[Hashable, int] = {}
    for number, parent in parents.items():
        depth[number] = 0 if pd.isna(parent) else depth[parent] + 1
    # Depth first: leaves come in the order in which they are drawn, parents before children.
    places: dict[Hashable, float] = {}
    leaves = set(nodes["number"]) - set(parents.dropna())
    for place, leaf in enumerate(sorted(leaves)):
        places[leaf] = float(place)
    for number in sorted(set(nodes["number"]) - leaves, reverse=True):
        places[number] = float(
            np.mean([places[child] for child in parents[parents == number].index])
        )
    return nodes.assign(x=nodes["number"].map(places), depth=nodes["number"].map(depth))


def draw_tree(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 4: the tree; in each node when it was done, below it its bound."""
    figure.set_size_inches(5.6, 0.72 * (data["depth"].max() + 1) + 0.5)
    axis = figure.subplots()
    known = data.set_index("number")
    for row in data.dropna(subset=["parent"]).to_dict("records"):
        parent = known.loc[row["parent"]]
        ends = [parent["x"], row["x"]], [-parent["depth"], -row["depth"]]
        axis.plot(*ends, color=style.GREY, linewidth=1, zorder=1)
        active = bool(row["active"])
        axis.annotate(
            f"$b_{{{row['neuron'] + 1:.0f}}} = {int(active)}$",
            (float(np.mean(ends[0])), float(np.mean(ends[1]))),
            xytext=(-3 if active else 3, 1),
            textcoords="offset points",
            ha="right" if active else "left",
            fontsize=7.5,
        )
    for outcome, (colour, label) in _OUTCOMES.items():
        own = data[data["outcome"] == outcome]
        axis.scatter(
            own["x"],
            -own["depth"],
            s=210,
            color=colour,
            edgecolor=style.GREY,
            label=label,
            zorder=2,
        )
    for row in data.to_dict("records"):
        middle = (row["x"], -row["depth"])
        axis.annotate(f"{row['number']:g}", middle, ha="center", va="center", fontsize=8)
        if np.isfinite(row["value"]):
            axis.annotate(
                f"{row['value']:.3f}",
                middle,
                xytext=(0, -15),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
                zorder=3,
            )
    axis.axis("off")
    axis.set_ylim(-data["depth"].max() - 0.5, 0.35)
    figure.legend(loc="outside upper center", ncols=len(_OUTCOMES), markerscale=0.5)


def attacks_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 5: images attacked by each distance.

    Returns:
        One row per picture: image, label, panel (original, or a distance), predicted, outcome, the
        shares and the variation of the change, and the picture; no picture where none was found.
    """
    match = {"experiment": "appearance", "paper_network": "MNIST-3x50"}
    pictures = rows.select("pictures", match).rename(columns={"shown": "panel"})
    pictures = pictures.drop_duplicates(["image", "panel"])
    found = rows.select("perturbations", match).rename(columns={"method": "panel"})
    measures = ["unchanged_share", "busy_share", "similarity", "total_change", "variation"]
    place = ["image", "label", "panel"]
    shown = pictures[[*place, "height", "width", "pixels"]].merge(
        found[[*place, "predicted", "outcome", *measures, "image_variation"]], "outer", place
    )
    order = {panel: number for number, panel in enumerate(_PANELS)}
    shown = shown.assign(order=shown["panel"].map(order)).dropna(subset=["order"])
    return shown.sort_values(["image", "order"]).drop(columns="order")


def draw_attacks(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 5: for each image the attacked images, and below them what was changed."""
    panels = list(data["panel"].unique())
    images = list(data["image"].unique())
    figure.set_size_inches(1.12 * len(panels) + 0.2, 2.75 * len(images))
    grid = figure.subplots(2 * len(images), len(panels), squeeze=False)
    for line, image in enumerate(images):
        own = where(data, {"image": image})
        original = picture_of(where(own, {"panel": _ORIGINAL}).to_dict("records")[0])
        for column, panel in enumerate(panels):
            above, below = grid[2 * line, column], grid[2 * line + 1, column]
            (row,) = where(own, {"panel": panel}).to_dict("records")
            above.set_title(_PANELS[panel], fontsize=8, loc="center")
            if panel == _ORIGINAL or not isinstance(row["pixels"], str):
                below.axis("off")
            if not isinstance(row["pixels"], str):
                above.axis("off")
                continue
            picture = picture_of(row)
            draw_image(above, picture)
            above.set_xlabel(_below(row), fontsize=7.5)
            if panel != _ORIGINAL:
                draw_change(below, picture - original)
                below.set_xlabel(
                    f"{100 - row['unchanged_share']:.0f} % of pixels\n"
                    f"TV {row['variation']:.2f}, sum {row['total_change']:.2f}",
                    fontsize=7,
                )


def _below(row: dict[Hashable, Any]) -> str:
    if row["panel"] == _ORIGINAL:
        return f"a {row['label']:g}"
    proved = "" if row["outcome"] == "optimal" else ", no proof"
    return f"a {row['predicted']:g}{proved}"


def profile_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 6: performance profiles of the solvers, by distance and over all.

    Returns:
        The columns of `profiles`, with `distance` ("all" for all together) and `instances`. Where
        a solver cannot take a distance at all, it solves none.
    """
    attacks = rows.select("attacks", {"experiment": EFFICIENCY})
    times = attacks["seconds_total"].astype(float).where(attacks["solved"] > 0, np.inf)
    table = attacks.assign(times=times).pivot_table(
        index=["distance_name", "paper_network", "rank"],
        columns="solver",
        values="times",
        aggfunc="first",
    )
    table = table[[name for name in SOLVERS if name in table.columns]].fillna(np.inf)
    frames = [profiles(table).assign(distance="all", instances=len(table))]
    for distance in DISTANCES:
        if distance in table.index.get_level_values(0):
            own = table.loc[[distance]]
            frames.append(profiles(own).assign(distance=distance, instances=len(own)))
    return pd.concat(frames, ignore_index=True)


def draw_profile(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 6: a panel for all attacks, and one for each distance."""
    names = list(data["distance"].unique())
    figure.set_size_inches(2.15 * len(names) + 0.3, 2.6)
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        own = where(data, {"distance": name})
        draw_profiles(axis, own, SOLVERS)
        label = "all attacks" if name == "all" else DISTANCES[name]
        axis.set_title(f"{label} ({own['instances'].iloc[0]})")
    for axis in axes[1:]:
        axis.set_ylabel("")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(SOLVERS)
    )


def scaling_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 7: time over the number of ReLUs.

    Returns:
        One row per network, distance and solver: neurons, unstable (the mean number of neurons
        that kept a binary), seconds (mean, unfinished ones with the time limit), at_limit (whether
        some did not finish) and images.
    """
    attacks = rows.select("attacks", {"experiment": EFFICIENCY})
    groups = attacks.groupby(["paper_network", "distance_name", "solver"], sort=False)
    means = groups.agg(
        neurons=("neurons", "first"),
        unstable=("unstable", "mean"),
        seconds=("seconds_total", "mean"),
        solved=("solved", "min"),
        images=("rank", "size"),
    ).reset_index()
    return means.assign(at_limit=means["solved"] < 100).drop(columns="solved")


def draw_scaling(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 7: a panel for each distance, a line for each solver; open where some are cut off.

    Stars are twins: the network of the same size that was trained the other way round.
    """
    names = [name for name in DISTANCES if name in set(data["distance_name"])]
    figure.set_size_inches(2.5 * len(names) + 0.3, 2.7)
    axes = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    solvers = [name for name in SOLVERS if name in set(data["solver"])]
    for axis, name in zip(axes, names, strict=True):
        for solver, (colour, dashes, marker) in zip(solvers, cycle(style.LINES), strict=False):
            drawn = where(data, {"distance_name": name, "solver": solver}).sort_values("neurons")
            beside = drawn["paper_network"].map(lambda name: bool(twin_of(name)[1])).astype(bool)
            own, twins = drawn[~beside], drawn[beside]
            line = {"color": colour, "linestyle": dashes, "marker": marker}
            axis.plot(own["neurons"], own["seconds"], label=SOLVERS[solver], **line)
            axis.plot(twins["neurons"], twins["seconds"], _TWIN, color=colour, markersize=8)
            for those, shape, size in ((own, marker, None), (twins, _TWIN, 8)):
                late = those[those["at_limit"]]
                hollow = {"color": colour, "markerfacecolor": "white", "markersize": size}
                axis.plot(late["neurons"], late["seconds"], shape, **hollow)
        axis.set(xscale="log", yscale="log", xlabel="ReLUs", title=DISTANCES[name])
        ticks = sorted(data["neurons"].unique())
        # Upright, since networks of 400 and 500 neurons stand close together.
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks], rotation=90)
        axis.xaxis.minorticks_off()
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(LogFormatter())
    axes[0].set_ylabel("mean time (s)")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(solvers)
    )


FIGURES: dict[str, FigureKind] = {
    "benmhenni_figure1": FigureKind(penalties_data, draw_penalties),
    "benmhenni_figure2": FigureKind(denoising_data, draw_denoising),
    "benmhenni_figure3": FigureKind(relaxation_data, draw_relaxation),
    "benmhenni_figure4": FigureKind(tree_data, draw_tree),
    "benmhenni_figure5": FigureKind(attacks_data, draw_attacks),
    "benmhenni_figure6": FigureKind(profile_data, draw_profile),
    "benmhenni_figure7": FigureKind(scaling_data, draw_scaling),
}
