"""Reading rows: what is missing is said, not skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_rows import Example, ExampleRows

from advmip.errors import InputError
from advmip.reporting.rows import MissingRowsError, Rows

COLUMNS = {"paper_network": "CNN", "method": "fine-tuned", "adversarial_count": 10}


def test_rows_are_selected_by_number_text_and_emptiness(as_printed: Example):
    last = as_printed.rows.select("evaluations", {**COLUMNS, "omega": None, "experiment": "tables"})
    assert len(last) == 2
    assert set(last["protocol"]) == {"published", "described"}
    some = as_printed.rows.select(
        "evaluations", {**COLUMNS, "omega": [0.2, 0.4], "experiment": "tables"}
    )
    assert sorted(some["omega"]) == [0.2, 0.2, 0.4, 0.4]


def test_a_query_without_answer_names_what_it_looked_for(as_printed: Example):
    with pytest.raises(MissingRowsError, match="adversarial_count=60"):
        as_printed.rows.select("evaluations", {**COLUMNS, "adversarial_count": 60})


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        Rows(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"timings\.csv"):
        Rows(tmp_path).frame("timings")


def test_a_lacking_column_is_named(tmp_path: Path):
    (tmp_path / "timings.csv").write_text("experiment,seconds\ntiming,1\n")
    with pytest.raises(InputError, match="no column network"):
        Rows(tmp_path).frame("timings")


def test_an_unknown_column_in_a_query_is_named(as_printed: Example):
    with pytest.raises(InputError, match="'omeega'"):
        as_printed.rows.select("evaluations", {"omeega": 0.2})


def test_unfinished_rows_do_not_count(tmp_path: Path):
    rows = ExampleRows().change("evaluations", COLUMNS, status="timeout", checked=False)
    with pytest.raises(MissingRowsError):
        Rows(rows.write(tmp_path)).select("evaluations", COLUMNS)


def test_an_unchecked_answer_is_refused(tmp_path: Path):
    rows = ExampleRows().change("evaluations", COLUMNS, checked=False)
    with pytest.raises(InputError, match="passed no check"):
        Rows(rows.write(tmp_path)).frame("evaluations")
