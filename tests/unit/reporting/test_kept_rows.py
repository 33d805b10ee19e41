"""Rows in a snapshot: what is made from them is byte for byte what was made from the run's own."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from example_rows import PAPERS, ExampleRows, written

from advmip.errors import InputError
from advmip.reporting.figures import write_figure
from advmip.reporting.kept_rows import keep_rows, kept_folder, rows_of
from advmip.reporting.plan import Plan, plan_of
from advmip.reporting.tables import TABLES, write_table
from advmip.reporting.verdicts import write_verdicts
from advmip.settings import load_settings, save_settings

PROJECT = PAPERS.parents[1]
REFERENCE = PROJECT / "results" / "reference"
OUTPUTS = ["zk_table2", "zk_table3", "zk_figure2"]
COMMITTED = [
    (scale, name)
    for scale in ("demo", "mnist")
    for name in TABLES
    if kept_folder(REFERENCE / scale / "rows", name)
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """The rows of a source, and of outputs that have some of them, in another order."""
    folder = tmp_path_factory.mktemp("kept") / "demo"
    example = written(ExampleRows(seeds=2, spread=0.5), folder / "rows" / "zk")
    for name in OUTPUTS:
        shutil.copytree(example.folder, folder / "rows" / name)
        path = folder / "rows" / name / "evaluations.csv"
        heads, *lines = path.read_text().splitlines(keepends=True)
        own = [line for line in lines if "extension" not in line.split(",")[1]]
        path.write_text("".join([heads, *own[::-1]]))
    settings = load_settings({"data_dir": "/elsewhere", "seed": 7}, PROJECT / "workflow")
    save_settings(settings, folder / "config.yaml")
    return folder, example.plan


@pytest.fixture(scope="module")
def kept(results: tuple[Path, Plan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "rows"
    keep_rows(results[0], "zk", OUTPUTS, folder / "zk")
    return folder


@pytest.mark.parametrize("name", ["zk", *OUTPUTS])
def test_unpacked_rows_are_those_that_were_kept(name: str, results: tuple[Path, Plan], kept: Path):
    with rows_of(kept, name) as unpacked:
        files = sorted((results[0] / "rows" / name).iterdir())
        assert [path.name for path in sorted(unpacked.iterdir())] == [path.name for path in files]
        for path in files:
            assert (unpacked / path.name).read_bytes() == path.read_bytes()


def test_tables_figures_and_verdicts_are_the_same_from_kept_rows(
    results: tuple[Path, Plan], kept: Path, tmp_path: Path
):
    folder, plan = results
    for number, rows in enumerate((folder / "rows", kept)):
        out, own = tmp_path / str(number), number == 0
        for name in OUTPUTS:
            write = write_table if name in TABLES else write_figure
            write(name, rows / name if own else rows, PAPERS, out / name, plan)
        write_verdicts("zk", rows / "zk" if own else rows, PAPERS, out / "verdicts.csv", plan)
    made = [sorted(path for path in (tmp_path / each).iterdir()) for each in "01"]
    assert len(made[0]) == 3 * len(OUTPUTS) + 1
    for ours, again in zip(*made, strict=True):
        assert again.read_bytes() == ours.read_bytes(), again.name


def test_the_bytes_follow_from_the_rows_alone_and_each_row_is_kept_once(
    results: tuple[Path, Plan], kept: Path, tmp_path: Path
):
    files = keep_rows(results[0], "zk", OUTPUTS, tmp_path)
    assert len(files) == len(list(tmp_path.iterdir()))
    for path in files:
        assert path.read_bytes() == (kept / "zk" / path.name).read_bytes()
    frame = pd.read_csv(tmp_path / "evaluations.csv.gz")
    assert len(frame) == len(pd.read_csv(results[0] / "rows" / "zk" / "evaluations.csv"))


def test_the_settings_of_the_run_are_kept_without_the_machines_folders(
    results: tuple[Path, Plan], kept: Path
):
    workflow = PROJECT / "workflow"
    ours = load_settings(results[0] / "config.yaml", workflow)
    again = load_settings(kept / "zk" / "config.yaml", workflow)
    assert again == ours | {"data_dir": "data"}
    assert plan_of(again) == plan_of(ours)


def test_a_table_without_rows_of_its_own_is_made_from_its_source(
    results: tuple[Path, Plan], kept: Path, tmp_path: Path
):
    folder, plan = results
    write_table("zk_table4", folder / "rows" / "zk", PAPERS, tmp_path / "ours", plan)
    write_table("zk_table4", kept, PAPERS, tmp_path / "again", plan)
    assert (tmp_path / "again.md").read_bytes() == (tmp_path / "ours.md").read_bytes()


def test_damaged_rows_are_named(kept: Path, tmp_path: Path):
    shutil.copytree(kept / "zk", tmp_path / "zk")
    path = tmp_path / "zk" / "evaluations.csv.gz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="kept rows"), rows_of(tmp_path, "zk_table2"):
        pass
    (tmp_path / "zk" / "index.json.gz").write_bytes(gzip.compress(json.dumps({}).encode()))
    with pytest.raises(InputError, match="kept rows"), rows_of(tmp_path, "zk_table2"):
        pass


@pytest.mark.parametrize(("scale", "name"), COMMITTED)
def test_every_committed_table_follows_from_the_committed_rows(
    scale: str, name: str, tmp_path: Path
):
    kept = kept_folder(REFERENCE / scale / "rows", name)
    assert kept is not None
    settings = load_settings(kept / "config.yaml", PROJECT / "workflow")
    write_table(name, kept, PAPERS, tmp_path / name, plan_of(settings))
    for suffix in (".csv", ".md", ".tex"):
        committed = REFERENCE / scale / "tables" / f"{name}{suffix}"
        assert (tmp_path / f"{name}{suffix}").read_bytes() == committed.read_bytes()
