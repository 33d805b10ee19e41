"""Tables: the right number in the right place, in three forms."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from example_rows import PAPERS, Example, ExampleRows, written

from advmip.errors import InputError
from advmip.reporting.formats import (
    Entry,
    PrintedTable,
    escape_latex,
    to_html,
    to_latex,
    to_markdown,
)
from advmip.reporting.judging import Verdict
from advmip.reporting.rows import where
from advmip.reporting.sources import Source
from advmip.reporting.tables import TABLES, print_table, write_table
from advmip.reporting.zhao_kronqvist.printing import share_inside

# Tables that stand beside no published value.
OURS_ALONE = {"zhu_extension1", "tjeng_extension1", "zk_extension4", "zk_extension5"}


def lines_of(markdown: str) -> list[list[str]]:
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[entry.strip() for entry in row.strip("|").split(" | ")] for row in rows[2:]]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_written_in_three_forms_at_every_scale(
    name: str, as_printed: Example, five_seeds: Example, demo: Example, tmp_path: Path
):
    for number, example in enumerate((as_printed, five_seeds, demo)):
        stem = tmp_path / str(number) / name
        write_table(name, example.folder, PAPERS, stem, example.plan)
        tidy = pd.read_csv(stem.with_suffix(".csv"))
        compared = {"ours", "published", "difference", "verdict", "quantity"}
        assert compared <= set(tidy.columns) or name in OURS_ALONE
        assert stem.with_suffix(".tex").read_text().count(r"\begin{tabular}") == 1
        assert to_markdown(print_table(name, stem.with_suffix(".csv"))) == stem.with_suffix(
            ".md"
        ).read_text(encoding="utf-8")


def test_a_table_of_several_versions_of_the_code_says_so_in_every_form(tmp_path: Path):
    rows = ExampleRows().change("evaluations", {"paper_network": "CNN", "omega": 0.4}, code="new")
    example = written(rows, tmp_path / "rows")
    write_table("zk_table3", example.folder, PAPERS, tmp_path / "t", example.plan)
    note = "The rows come from 2 versions of the code"
    assert note in (tmp_path / "t.md").read_text(encoding="utf-8")
    assert note in (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert set(pd.read_csv(tmp_path / "t.csv")["code_versions"]) == {2}
    assert note in to_html(print_table("zk_table3", tmp_path / "t.csv"))


def test_experiments_may_rest_on_different_code(as_printed: Example, tmp_path: Path):
    rows = ExampleRows().change("evaluations", {"experiment": "initial"}, code="other")
    example = written(rows, tmp_path / "rows")
    for name, each in (("one", as_printed), ("other", example)):
        write_table("zk_table3", each.folder, PAPERS, tmp_path / name, each.plan)
    assert (tmp_path / "other.md").read_bytes() == (tmp_path / "one.md").read_bytes()


def test_table_3_prints_ours_the_papers_and_the_described_value(
    as_printed: Example, tmp_path: Path
):
    write_table("zk_table3", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    lines = lines_of((tmp_path / "t.md").read_text(encoding="utf-8"))
    assert len(lines) == 16
    assert lines[0][0] == "0"
    assert lines[0][-3:] == ["4.02 ✓", "4.02", "3.22"]
    assert lines[1][:2] == ["10", "0.0"]
    best = lines[14]
    assert best[1] == "0.2"
    assert best[-3:] == ["**65.94** ✓", "**65.94**", "**59.35**"]


def test_table_1_prints_changes_in_brackets(as_printed: Example, tmp_path: Path):
    write_table("zk_table1", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    lines = lines_of((tmp_path / "t.md").read_text(encoding="utf-8"))
    assert [line[1] for line in lines[:4]] == [
        "initial",
        "adversarial data added",
        "PGD adversarial training",
        "fine-tuned",
    ]
    assert lines[1][5] == "9.07 (\u22123.31) ✓"
    assert lines[1][6] == "9.07 (\u22123.31)"
    assert lines[2][6] == ""
    assert lines[3][-1] == "100.0"


def test_table_5_gives_the_ratio_to_the_papers_time(as_printed: Example, tmp_path: Path):
    write_table("zk_table5", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    lines = lines_of((tmp_path / "t.md").read_text(encoding="utf-8"))
    assert lines[3][1:7] == ["50", "20", "0.200", "949.78", "0.200", "4,749"]
    assert lines[0][-2:] == ["0.50", "0.07"]


def test_the_lecture_has_the_last_iterate_without_omega(as_printed: Example, tmp_path: Path):
    write_table("kronqvist_table1", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    lines = lines_of((tmp_path / "t.md").read_text(encoding="utf-8"))
    assert lines[1][:2] == ["10", ""]
    assert lines[1][-2] == "43.14"


def test_what_a_scale_leaves_out_is_a_dash(demo: Example, tmp_path: Path):
    write_table("zk_table2", demo.folder, PAPERS, tmp_path / "t", demo.plan)
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    twenty = next(line for line in lines_of(text) if line[0] == "20")
    assert twenty[-3:] == ["\u2013", "**56.08**", "\u2013"]
    assert "not run at this scale" in text


def test_seeds_share_of_published_values_inside(five_seeds: Example, sources: dict[str, Source]):
    tidy = TABLES["zk_extension1"].data(five_seeds.rows, sources)
    published = where(tidy, {"protocol": "published"})
    mean, of = share_inside(published, "lower", "upper")
    further, same = share_inside(published, "further_lower", "further_upper")
    assert of == same == 2 * 15 * 4
    assert mean <= further
    assert further > 0.9 * of
    narrow = published.assign(lower=0.0, upper=0.0)
    assert share_inside(narrow, "lower", "upper") == (0, of)


def test_table_4_is_of_algorithm_2_where_it_was_run(tmp_path: Path):
    example = written(ExampleRows(algorithm2=True), tmp_path / "rows")
    write_table("zk_table4", example.folder, PAPERS, tmp_path / "t", example.plan)
    text = (tmp_path / "t.md").read_text(encoding="utf-8")
    assert "PGD (%): all weights free" in text
    assert lines_of(text)[1][-4:] == ["38.97 ✓", "35.97", "35.07", "35.97"]


def test_extension_3_is_by_attacked_images(as_printed: Example, tmp_path: Path):
    write_table("zk_extension3", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    lines = lines_of((tmp_path / "t.md").read_text(encoding="utf-8"))
    assert [line[2] for line in lines[:9:3]] == ["1,000", "10,000", "all"]
    assert lines[0][-2:] == ["62.59 ✓", "62.39"]
    assert lines[6][-2:] == ["62.39 ✓", "62.39"]


def test_extension_1_needs_its_further_seeds(tmp_path: Path):
    rows = ExampleRows(seeds=2).change("evaluations", {"experiment": "extension1"})
    example = written(rows, tmp_path / "rows")
    with pytest.raises(InputError, match="extension1"):
        write_table("zk_extension1", example.folder, PAPERS, tmp_path / "t", example.plan)


def test_a_failed_table_leaves_the_earlier_one(as_printed: Example, tmp_path: Path):
    write_table("zk_table2", as_printed.folder, PAPERS, tmp_path / "t", as_printed.plan)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("t.*")}
    lost = ExampleRows().change("evaluations", {"paper_network": "CNNLight", "omega": 0.4})
    example = written(lost, tmp_path / "rows")
    with pytest.raises(InputError, match=r"omega=0\.4"):
        write_table("zk_table2", example.folder, PAPERS, tmp_path / "t", example.plan)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("t.*")} == before


def test_an_unknown_table_names_the_nearest(as_printed: Example, tmp_path: Path):
    with pytest.raises(InputError, match="zk_table1"):
        write_table("zk_tabel1", as_printed.folder, PAPERS, tmp_path / "t")


def test_latex_escapes():
    assert escape_latex("50 % & more_or_less $5 #1 {x}") == (
        r"50 \% \& more\_or\_less \$5 \#1 \{x\}"
    )
    assert escape_latex("a\\b~c^d") == r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d"
    assert escape_latex("|X_adv| ≥ 50, ω ± 1") == (
        r"$|\mathcal{X}_{\mathrm{adv}}|$ $\geq$ 50, $\omega$ $\pm$ 1"
    )
    assert escape_latex("Müller, naïve") == "Müller, naïve"


def test_the_three_forms_of_a_small_table():
    table = PrintedTable(
        title="A & B",
        groups=[("", 1), ("FGSM (%)", 2)],
        columns=["|X_adv|", "ours", "paper"],
        rows=[
            [
                Entry("10"),
                Entry("1.5", bold=True, verdict=Verdict.CONTRADICTED),
                Entry("2", quiet=True),
            ],
            [Entry("20"), Entry("<3"), Entry("")],
        ],
        rules=frozenset({1}),
        notes=["50 % of *all*"],
    )
    markdown = to_markdown(table)
    assert r"| \|X\_adv\| | FGSM (%): ours | FGSM (%): paper |" in markdown
    assert "| 10 | **1.5** ✗ | 2 |" in markdown
    assert r"50 % of \*all\*" in markdown
    latex = to_latex(table)
    assert r"\caption{A \& B}" in latex
    assert r"\cmidrule(lr){2-3}" in latex
    assert r"\textbf{1.5}\rlap{\textsuperscript{$\times$}}" in latex
    assert latex.count(r"\midrule") == 2
    page = to_html(table)
    assert '<td class="best contradicted">1.5<sup' in page
    assert "&lt;3" in page
    assert '<tr class="rule">' in page
