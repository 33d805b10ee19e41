"""The thesis's figures: one function each from tidy rows to a drawing and the data it shows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from advmip.pictures import picture_columns, picture_of
from advmip.reporting import style
from advmip.reporting.attack_pictures import draw_image
from advmip.reporting.outputs import FigureKind, Sources
from advmip.reporting.rows import Rows, where

Data = Callable[[Rows, Sources], pd.DataFrame]

_PICTURE = ["height", "width", "pixels"]
_ORIGINAL, _CHANGE = "original", "change"
_TITLES = {
    _ORIGINAL: "original",
    "l0": "$L_0$",
    "l1": "$L_1$",
    "l2": "$L_2$",
    "linf": r"$L_\infty$",
    _CHANGE: r"$L_\infty$, change",
}
# The side of an attacked image, and the height of what stands below a picture, in inches.
_SIDE, _BELOW = 0.9, 0.22


def square_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 1: the square and its approximation by straight lines.

    Returns:
        One row per point: x, square, approximation and breakpoint (whether x is one).
    """
    samples = rows.select("samples", {"experiment": "square"})
    x, square, approximation = (samples[name].astype(float) for name in ("x1", "value", "upper"))
    frame = pd.DataFrame({"x": x, "square": square, "approximation": approximation})
    return frame.assign(breakpoint=np.isclose(square, approximation, rtol=0, atol=1e-12))


def draw_square(figure: Figure, data: pd.DataFrame) -> None:
    """Figure 1: the curve, the lines, and where they meet."""
    figure.set_size_inches(3.6, 2.8)
    axis = figure.subplots()
    axis.plot(data["x"], data["square"], color=style.BLUE, label="$f(x) = x^2$")
    axis.plot(
        data["x"],
        data["approximation"],
        color=style.VERMILION,
        linestyle="--",
        label=r"$\tilde{f}(x)$",
    )
    met = data[data["breakpoint"]]
    axis.plot(met["x"], met["square"], "o", color=style.VERMILION, label="breakpoints")
    axis.set(xlabel="$x$", ylabel="$f(x)$")
    for places, labelled in ((met["x"], axis.set_xticks), (met["square"], axis.set_yticks)):
        labelled(places, places.map("{:.4g}".format))
    axis.legend(loc="upper left")


def units_data(units: Sequence[tuple[int, int]]) -> Data:
    """Figure 2: the inputs that excite hidden neurons most.

    Args:
        units: The thesis's UNIT(j, k): the j-th neuron of layer k, both from 1.

    Returns:
        A function from rows and sources to one row per neuron: name, activation, and the picture.
    """

    def data(rows: Rows, sources: Sources) -> pd.DataFrame:
        strongest = _strongest(rows)
        frames = [
            where(strongest, {"unit": unit - 1, "layer": layer}).assign(
                name=f"UNIT({unit}, {layer})"
            )
            for unit, layer in units
        ]
        return _pictures_of(pd.concat(frames))

    return data


def outputs_data(rows: Rows, sources: Sources) -> pd.DataFrame:
    """Figure 4: for each digit the input that excites its output most.

    Returns:
        One row per digit: name (the digit), activation, and the picture.
    """
    strongest = _strongest(rows)
    outputs = strongest[strongest["layer"] == strongest["layer"].max()]
    return _pictures_of(outputs.assign(name=outputs["unit"].map("{:g}".format)))


def draw_strongest(columns: int) -> Callable[[Figure, pd.DataFrame], None]:
    """Figures 2 and 4: pictures, with the neuron above and what enters it below."""

    def draw(figure: Figure, data: pd.DataFrame) -> None:
        lines = -(-len(data) // columns)
        panels = _panels(figure, lines, columns, side=1.3, above=0.2)
        for panel, row in zip(panels.ravel(), data.to_dict("records"), strict=True):
            draw_image(panel, picture_of(row))
            panel.set_title(row["name"])
            panel.set_xlabel(f"{row['activation']:.3g}", fontsize=8)

    return draw


def attacks_data(labels: Sequence[int]) -> Data:
    """Figures 3 and 5: an image of each digit, attacked by every distance.

    Args:
        labels: The digits.

    Returns:
        A function from rows and sources to one row per picture: label, image, panel (original, a
        distance, or the change in L-infinity: white where nothing changed, black where most did),
        target, distance, outcome, and the picture.
    """

    def data(rows: Rows, sources: Sources) -> pd.DataFrame:
        match = {"experiment": "gallery", "label": list(labels)}
        pictures = rows.select("pictures", match).rename(columns={"shown": "panel"})
        attacks = rows.select("attacks", match).rename(columns={"distance_name": "panel"})
        place = ["label", "image", "panel"]
        found = attacks[[*place, "distance", "outcome"]]
        shown = pictures[[*place, *_PICTURE]].merge(found, "outer", place)
        shown = pd.concat([shown, _changes(shown)], ignore_index=True)
        order = [_ORIGINAL, *attacks["panel"].unique(), _CHANGE]
        targets = attacks.groupby("image")["target"].first()
        return (
            shown.assign(target=shown["image"].map(targets), order=shown["panel"].map(order.index))
            .sort_values(["label", "order"])
            .drop(columns="order")
        )

    return data


def draw_attacks(figure: Figure, data: pd.DataFrame) -> None:
    """Figures 3 and 5: a line of pictures for each image, the distance below each."""
    names, images = list(data["panel"].unique()), list(data["image"].unique())
    panels = _panels(figure, len(images), len(names), side=_SIDE, above=0.1)
    for line, image in zip(panels, images, strict=True):
        for panel, name in zip(line, names, strict=True):
            (row,) = where(data, {"image": image, "panel": name}).to_dict("records")
            if isinstance(row["pixels"], str):
                draw_image(panel, picture_of(row))
            else:
                panel.axis("off")
            panel.set_xlabel(_below(row), fontsize=7.5)
    for panel, name in zip(panels[0], names, strict=True):
        panel.set_title(_TITLES[name.partition("-")[0]])


def _strongest(rows: Rows) -> pd.DataFrame:
    """The neurons of DNN1 with their strongest inputs."""
    match = {"experiment": "features", "paper_network": "DNN1"}
    pictures = rows.select("pictures", match)[["layer", "unit", *_PICTURE]]
    neurons = rows.select("neurons", match)[["layer", "unit", "outcome", "activation"]]
    return neurons.merge(pictures, on=["layer", "unit"])


def _pictures_of(neurons: pd.DataFrame) -> pd.DataFrame:
    return neurons[["name", "layer", "unit", "outcome", "activation", *_PICTURE]]


def _changes(shown: pd.DataFrame) -> pd.DataFrame:
    """The changes in L-infinity as pictures of their own."""
    originals = where(shown, {"panel": _ORIGINAL}).set_index("image")
    changes = []
    for row in where(shown, {"panel": "linf"}).to_dict("records"):
        about = {"label": row["label"], "image": row["image"], "panel": _CHANGE}
        if isinstance(row["pixels"], str):
            change = np.abs(picture_of(row) - picture_of(originals.loc[row["image"]]))
            about |= picture_columns(1.0 - change / change.max())
        changes.append(about)
    return pd.DataFrame(changes)


def _below(row: dict[Hashable, Any]) -> str:
    """What stands below a picture: the digit and its target, or how far the attack is."""
    if row["panel"] == _ORIGINAL:
        return f"{row['label']:g} → {row['target']:g}"
    if row["panel"] == _CHANGE:
        return ""
    if not np.isfinite(row["distance"]):
        return "none found"
    proved = "" if row["outcome"] == "optimal" else "≤ "
    unit = ""
    if row["panel"] == "l0":
        unit = " pixel" if row["distance"] == 1 else " pixels"
    return f"{proved}{row['distance']:.3g}{unit}"


def _panels(figure: Figure, lines: int, columns: int, *, side: float, above: float) -> NDArray[Any]:
    """A grid of square panels (lines, columns), with room for words below and above."""
    figure.set_size_inches(side * columns + 0.2, (side + _BELOW) * lines + above)
    grid: NDArray[Any] = figure.subplots(lines, columns, squeeze=False)
    return grid


FIGURES: dict[str, FigureKind] = {
    "zhu_figure1": FigureKind(square_data, draw_square),
    "zhu_figure2": FigureKind(units_data([(2, 2), (3, 1)]), draw_strongest(columns=2)),
    "zhu_figure3": FigureKind(attacks_data([0, 9]), draw_attacks),
    "zhu_figure4": FigureKind(outputs_data, draw_strongest(columns=5)),
    "zhu_figure5": FigureKind(attacks_data(range(10)), draw_attacks),
}
