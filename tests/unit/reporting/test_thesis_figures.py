"""The figures of the thesis and of the lecture: what they show, and of what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_rows import PAPERS, Example, ExampleRows, written

from advmip.errors import InputError
from advmip.pictures import picture_columns, picture_of
from advmip.reporting.figures import FIGURES, draw_figure, write_figure
from advmip.reporting.rows import where
from advmip.reporting.sources import Source


def data_of(name: str, example: Example, sources: dict[str, Source]) -> pd.DataFrame:
    return FIGURES[name].data(example.rows, sources)


def test_a_picture_comes_back_from_a_row() -> None:
    image = np.random.default_rng(0).random((1, 3, 5))
    np.testing.assert_allclose(picture_of(picture_columns(image)), image, rtol=1e-8)


def test_figure_1_marks_the_five_breakpoints(
    as_printed: Example, sources: dict[str, Source]
) -> None:
    data = data_of("zhu_figure1", as_printed, sources)
    assert data.loc[data["breakpoint"], "x"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert where(data, {"x": 0.375})["approximation"].item() == 0.15625
    assert (data["approximation"] >= data["square"]).all()


def test_figure_2_shows_the_thesis_s_units(as_printed: Example, sources: dict[str, Source]) -> None:
    data = data_of("zhu_figure2", as_printed, sources)
    assert data["name"].tolist() == ["UNIT(2, 2)", "UNIT(3, 1)"]
    # The second neuron of layer 2, and the third of layer 1.
    assert data["activation"].tolist() == [2.1, 1.2]


def test_figure_4_shows_an_output_for_each_digit(
    as_printed: Example, sources: dict[str, Source]
) -> None:
    data = data_of("zhu_figure4", as_printed, sources)
    assert data["name"].tolist() == [str(digit) for digit in range(10)]
    assert data["activation"].min() == 4.0


@pytest.mark.parametrize(("name", "digits"), [("zhu_figure3", [0, 9]), ("zhu_figure5", range(10))])
def test_attacks_stand_beside_their_originals(
    name: str, digits: list[int], as_printed: Example, sources: dict[str, Source]
) -> None:
    data = data_of(name, as_printed, sources)
    line = ["original", "l0", "l1", "l2-17", "linf", "change"]
    assert data["panel"].tolist() == line * len(digits)
    assert data["label"].tolist() == [digit for digit in digits for _ in line]
    assert (data["target"] == (data["label"] + 5) % 10).all()
    (change,) = where(data, {"label": 9, "panel": "change"}).to_dict("records")
    # White where nothing changed, black where most did.
    np.testing.assert_allclose(picture_of(change)[0, 0], [0, 0, 1, 1], atol=1e-6)


def test_an_attack_that_was_not_found_or_not_proved_is_said_to_be(
    tmp_path: Path, sources: dict[str, Source]
) -> None:
    rows = ExampleRows()
    lost = {"experiment": "gallery", "label": 9}
    rows.change("attacks", {**lost, "distance_name": "l1"}, outcome="feasible")
    nothing = {"outcome": "unknown", "distance": np.inf}
    for name in ("l0", "linf"):
        rows.change("attacks", {**lost, "distance_name": name}, **nothing)
        rows.change("pictures", {**lost, "shown": name})
    data = data_of("zhu_figure3", written(rows, tmp_path / "rows"), sources)
    figure = draw_figure("zhu_figure3", data)
    words = [axis.get_xlabel() for axis in figure.axes]
    assert words[:6] == ["0 → 5", "3 pixels", "2.5", "0.8", "0.1", ""]
    assert words[6:] == ["9 → 4", "none found", "≤ 2.5", "0.8", "none found", ""]


def test_an_unchecked_picture_is_refused(tmp_path: Path) -> None:
    rows = ExampleRows().change("pictures", {"label": 3}, checked=False)
    example = written(rows, tmp_path / "rows")
    with pytest.raises(InputError, match="passed no check"):
        write_figure("zhu_figure5", example.folder, PAPERS, tmp_path / "f", example.plan)


def test_the_relaxation_holds_the_network(as_printed: Example, sources: dict[str, Source]) -> None:
    data = data_of("kronqvist_figure1", as_printed, sources)
    assert (data["lower"] <= data["value"]).all()
    assert (data["value"] <= data["upper"]).all()
    surfaces, section = draw_figure("kronqvist_figure1", data).axes
    assert surfaces.name == "3d"
    assert section.get_title(loc="left") == "(b) $x_2 = 0$"
