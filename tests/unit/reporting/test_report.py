"""The report and the snapshot, made from a whole small set of results."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from example_rows import PAPERS, Example

from advmip.durability.journal import Journal
from advmip.errors import InputError
from advmip.reporting.figures import FIGURES, write_figure
from advmip.reporting.report import write_report
from advmip.reporting.results_folder import gather_provenance, output_names
from advmip.reporting.snapshot import write_snapshot
from advmip.reporting.tables import TABLES, write_table
from advmip.reporting.verdicts import join_verdicts, write_verdicts

SOURCES = ("zk", "kronqvist", "zhu", "benmhenni", "tjeng", "vnncomp")


@pytest.fixture(scope="module")
def results(demo: Example, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "demo"
    for source in SOURCES:
        shutil.copytree(demo.folder, folder / "rows" / source)
    for name in TABLES:
        write_table(name, demo.folder, PAPERS, folder / "tables" / name, demo.plan)
    for name in FIGURES:
        write_figure(name, demo.folder, PAPERS, folder / "figures" / name, demo.plan)
    verdicts = [folder / "verdicts" / f"{source}.csv" for source in SOURCES]
    for source, path in zip(SOURCES, verdicts, strict=True):
        write_verdicts(source, demo.folder, PAPERS, path, demo.plan)
    join_verdicts(verdicts, folder / "verdicts.csv")
    (folder / "config.yaml").write_text("scale: demo\n")
    return folder


def test_the_report_is_one_page_with_everything(results: Path, tmp_path: Path):
    write_report(results, PAPERS, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in output_names():
        assert f'<section id="{name}"' in page
    assert page.count("data:image/png;base64,") == len(FIGURES)
    assert page.count("<table") >= len(TABLES)
    assert "Not made at this scale" not in page
    assert not re.search(r'(src|href)="(?!data:|#)', page), "something is not in the page itself"


def test_every_table_and_figure_has_its_place_in_the_report():
    assert sorted(output_names()) == sorted({*TABLES, *FIGURES})


def test_the_first_page_counts_the_verdicts(results: Path, tmp_path: Path):
    write_report(results, PAPERS, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    verdicts = pd.read_csv(results / "verdicts.csv")
    for source in ("zk", "kronqvist"):
        own = verdicts[verdicts["source"] == source]
        count = ((own["kind"] == "value") & (own["verdict"] == "not comparable")).sum()
        assert f"{count} not comparable" in page
    assert page.index("not comparable") < page.index("zk_table1</h3>")
    other = verdicts["reason"].astype(str).str.startswith("other data")
    count = (other & (verdicts["kind"] == "value")).sum()
    assert re.search(rf"<td>other data</td><td>{count}</td>", page), "a reason, once"


def test_a_demonstration_shows_the_real_data_first(results: Path, tmp_path: Path):
    for scale in ("demo", "mnist"):
        shutil.copytree(results / "verdicts", tmp_path / scale / "verdicts")
    zk = tmp_path / "mnist" / "verdicts" / "zk.csv"
    old = pd.read_csv(zk).replace({"verdict": {"not comparable": "not comparable at this scale"}})
    old.drop(columns=["least", "most", "machine"]).to_csv(zk, index=False)
    write_report(results, PAPERS, tmp_path / "report.html", tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.index("The reproduction: on the real data") < page.index("a demonstration")
    assert "not comparable at this scale" in page, "a snapshot of an older version is read too"
    write_report(results, PAPERS, tmp_path / "report.html")
    assert "on the real data" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_report_says_what_is_not_there(results: Path, tmp_path: Path):
    partial = tmp_path / "partial"
    shutil.copytree(results, partial)
    (partial / "figures" / "zk_figure4.png").unlink()
    write_report(partial, PAPERS, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Not made at this scale: figure zk_figure4." in page


def test_a_report_needs_verdicts(tmp_path: Path):
    with pytest.raises(InputError, match=r"verdicts\.csv"):
        write_report(tmp_path, PAPERS, tmp_path / "report.html")


def test_provenance_is_gathered_from_the_rows(results: Path):
    origin = gather_provenance(results, "zk")
    assert origin["processor"] == "a processor"
    assert origin["torch"] == "2.15.0"
    assert origin["versions of the code behind the rows"] == "1"


def test_a_snapshot_holds_outputs_verdicts_and_origin(results: Path, tmp_path: Path):
    stale = tmp_path / "demo" / "tables" / "zk_stale.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    target = write_snapshot(results, tmp_path)
    assert target == tmp_path / "demo"
    assert not stale.exists()
    for name in TABLES:
        assert (target / "tables" / f"{name}.md").is_file()
    for name in FIGURES:
        assert (target / "figures" / f"{name}.pdf").is_file()
    for source in SOURCES:
        kept = target / "verdicts" / f"{source}.csv"
        assert kept.read_bytes() == (results / "verdicts" / f"{source}.csv").read_bytes()
    readme = (target / "README.md").read_text(encoding="utf-8")
    assert "| processor | a processor |" in readme
    assert "| zk | value | published |" in readme


def test_every_table_of_a_snapshot_follows_from_its_rows(
    results: Path, demo: Example, tmp_path: Path
):
    target = write_snapshot(results, tmp_path / "reference")
    for name in TABLES:
        write_table(name, target / "rows", PAPERS, tmp_path / name, demo.plan)
        for suffix in (".csv", ".md", ".tex"):
            kept = target / "tables" / f"{name}{suffix}"
            assert (tmp_path / f"{name}{suffix}").read_bytes() == kept.read_bytes()
    readme = (target / "README.md").read_text(encoding="utf-8")
    assert "`advmip table zk_table1 --rows results/reference/demo/rows --out zk_table1`" in readme


def test_a_snapshot_holds_the_journals_that_there_are(results: Path, tmp_path: Path):
    whole = tmp_path / "demo"
    shutil.copytree(results, whole)
    with Journal(whole / "journals" / "tjeng" / "table2-0.jsonl", {"code": "a"}) as journal:
        journal.record("image 0", {"status": "robust"})
    target = write_snapshot(whole, tmp_path / "reference")
    assert [path.name for path in (target / "journals").iterdir()] == ["tjeng.tar.xz"]


def test_a_snapshot_of_one_source_leaves_the_others_as_they_are(results: Path, tmp_path: Path):
    write_snapshot(results, tmp_path, ["zk"])
    target = write_snapshot(results, tmp_path, ["zhu"])
    names = {path.name for path in (target / "verdicts").iterdir()}
    assert names == {"zk.csv", "zhu.csv"}
    assert (target / "tables" / "zk_table1.md").is_file()
    assert (target / "tables" / "zhu_table1.md").is_file()
    assert not (target / "tables" / "tjeng_table1.md").exists()
    origin = pd.read_csv(target / "origin.csv", index_col="what")
    assert list(origin.columns) == ["zk", "zhu"]
    assert (origin.loc["processor"] == "a processor").all()


def test_an_incomplete_source_does_not_hinder_another(results: Path, tmp_path: Path):
    partial = tmp_path / "demo"
    shutil.copytree(results, partial)
    (partial / "tables" / "zhu_table1.csv").unlink()
    write_snapshot(partial, tmp_path / "reference", ["zk"])
    with pytest.raises(InputError, match="zhu_table1"):
        write_snapshot(partial, tmp_path / "reference", ["zhu"])


def test_a_snapshot_of_an_unknown_source_names_the_nearest(results: Path, tmp_path: Path):
    with pytest.raises(InputError, match="tjeng"):
        write_snapshot(results, tmp_path, ["tjong"])


def test_an_incomplete_scale_makes_no_snapshot(results: Path, tmp_path: Path):
    partial = tmp_path / "demo"
    shutil.copytree(results, partial)
    (partial / "tables" / "zk_table1.csv").unlink()
    with pytest.raises(InputError, match="zk_table1"):
        write_snapshot(partial, tmp_path / "reference")
    assert not (tmp_path / "reference").exists()
