"""Figures: the data that they show, and that drawing them raises no warning."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_rows import PAPERS, Example, ExampleRows, written

from advmip.errors import InputError
from advmip.reporting.figures import FIGURES, draw_figure, write_figure
from advmip.reporting.rows import MissingRowsError, where
from advmip.reporting.sources import Source


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("scale", ["five_seeds", "demo"])
def test_every_figure_is_drawn_without_warnings(
    name: str, scale: str, request: pytest.FixtureRequest, tmp_path: Path
):
    example: Example = request.getfixturevalue(scale)
    stem = tmp_path / name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_figure(name, example.folder, PAPERS, stem, example.plan)
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert stem.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert len(pd.read_csv(stem.with_suffix(".csv")))


def test_the_same_rows_give_the_same_picture(demo: Example, tmp_path: Path):
    for copy in ("a", "b"):
        write_figure("zk_figure1", demo.folder, PAPERS, tmp_path / copy, demo.plan)
    for suffix in (".png", ".pdf", ".csv"):
        first, second = ((tmp_path / copy).with_suffix(suffix).read_bytes() for copy in "ab")
        assert first == second


def test_figure_1_colours_the_front_of_five_iterations(
    as_printed: Example, sources: dict[str, Source]
):
    data = FIGURES["zk_figure1"].data(as_printed.rows, sources)
    data = where(data, {"protocol": "published"})
    assert data["iteration"].max() == 5
    assert (data["kind"] == "initial network").sum() == 1
    points = data[["violation", "loss"]].to_numpy()
    for point, kind in zip(points, data["kind"], strict=True):
        no_worse = (points <= point).all(axis=1)
        dominated = (no_worse & (points < point).any(axis=1)).any()
        assert dominated == (kind == "candidate")


def test_figure_2_measures_from_the_initial_network(
    as_printed: Example, sources: dict[str, Source]
):
    data = FIGURES["zk_figure2"].data(as_printed.rows, sources)
    point = {"network": "CNN", "attack": "PGD", "adversarial_count": 50}
    by_curve = where(data, point).set_index("curve")["improvement"]
    assert by_curve["paper"] == pytest.approx(65.94 - 4.02)
    assert by_curve["ours, as published"] == pytest.approx(65.94 - 4.02)
    assert by_curve["ours, as described"] == pytest.approx(0.9 * 65.94 - 0.8 * 4.02)
    assert by_curve["ours, as published, M = 2"] == pytest.approx(0.9 * 65.94 - 4.02)


def test_figure_2_has_intervals_over_seeds(five_seeds: Example, sources: dict[str, Source]):
    data = FIGURES["zk_figure2"].data(five_seeds.rows, sources)
    ours = where(data, {"curve": "ours, as published", "network": "CNN"})
    assert (ours["seeds"] == 5).all()
    assert (ours["lower"] < ours["improvement"]).all()


def test_figure_3_has_both_radii_from_the_start(as_printed: Example, sources: dict[str, Source]):
    data = FIGURES["zk_figure3"].data(as_printed.rows, sources)
    part = where(data, {"network": "CNN", "protocol": "published", "radius": 0.05})
    assert list(part["iteration"]) == list(range(21))
    assert part["violation"].iloc[0] == 250.0
    assert np.isnan(part["pgd_accuracy"].iloc[0])


def test_a_violation_of_zero_can_be_drawn(as_printed: Example, sources: dict[str, Source]):
    data = FIGURES["zk_figure3"].data(as_printed.rows, sources)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_figure(
            "zk_figure3", data.assign(violation=data["violation"].where(data.index % 7 > 0, 0.0))
        )


def test_figure_4_has_the_papers_end_points(as_printed: Example, sources: dict[str, Source]):
    data = FIGURES["zk_figure4"].data(as_printed.rows, sources)
    point = {"network": "ResNet8", "adversarial_count": 50, "quantity": "QPs"}
    by_curve = where(data, point).set_index("curve")["seconds"]
    assert by_curve["paper"] == 33763.22
    assert by_curve["ours"] == pytest.approx(3.0)


def test_extension_1_shows_every_seed(five_seeds: Example, sources: dict[str, Source]):
    data = FIGURES["zk_extension1"].data(five_seeds.rows, sources)
    seeds = data[[f"seed {seed}" for seed in range(5)]]
    assert data["mean"].to_numpy() == pytest.approx(seeds.mean(axis=1).to_numpy())
    assert len(data) == 2 * 2 * 15


def test_extension_2_goes_on_where_the_paper_stops(as_printed: Example, sources: dict[str, Source]):
    data = FIGURES["zk_extension2"].data(as_printed.rows, sources)
    assert data.loc[data["curve"] == "paper", "adversarial_count"].max() == 50
    ours = where(data, {"curve": "ours, as published", "quantity": "pgd_accuracy", "omega": 0.2})
    assert list(ours["adversarial_count"]) == [10, 20, 30, 40, 50, 100, 200, 500]


def test_a_protocol_that_a_scale_leaves_out_is_not_drawn(
    as_printed: Example, sources: dict[str, Source]
):
    counts = {key: runs for key, runs in as_printed.plan.counts.items() if key[1] == "published"}
    plan = dataclasses.replace(as_printed.plan, counts=counts)
    rows = dataclasses.replace(as_printed, plan=plan).rows
    data = FIGURES["zk_figure1"].data(rows, sources)
    assert set(data["protocol"]) == {"published"}
    draw_figure("zk_figure1", data)


def test_missing_rows_stop_a_figure(tmp_path: Path):
    lost = {"experiment": "figure3", "paper_network": "CNN"}
    example = written(ExampleRows().change("iterations", lost), tmp_path / "rows")
    with pytest.raises(MissingRowsError, match="figure3"):
        write_figure("zk_figure3", example.folder, PAPERS, tmp_path / "f", example.plan)
    assert not list(tmp_path.glob("f*"))


def test_an_unknown_figure_names_the_nearest(demo: Example, tmp_path: Path):
    with pytest.raises(InputError, match="zk_figure1"):
        write_figure("zk_figure", demo.folder, PAPERS, tmp_path / "f")
