import csv

import pytest

from advmip.errors import InputError
from advmip.experiments.rows import COLUMNS, gather_rows, write_rows


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_come_back_and_missing_columns_are_empty(tmp_path):
    write_rows("timings", [{"paper_network": "CNN", "seconds": 1.5}], tmp_path / "timings.csv")
    (row,) = read(tmp_path / "timings.csv")
    assert (row["paper_network"], float(row["seconds"]), row["what"]) == ("CNN", 1.5, "")
    assert tuple(row) == COLUMNS["timings"]


def test_a_column_that_the_kind_lacks_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="alpha"):
        write_rows("timings", [{"alpha": 0.1}], tmp_path / "timings.csv")
    assert list(tmp_path.iterdir()) == []


def test_rows_of_several_runs_are_joined_by_kind(tmp_path):
    for name in ("a", "b"):
        write_rows("pool", [{"paper_network": name}] * 2, tmp_path / name / "pool.csv")
        write_rows("evaluations", [{"paper_network": name}], tmp_path / name / "evaluations.csv")
    files = sorted(tmp_path.glob("*/*.csv"))
    gather_rows(files, tmp_path / "joined")
    pool = read(tmp_path / "joined" / "pool.csv")
    assert [row["paper_network"] for row in pool] == ["a", "a", "b", "b"]
    evaluations = read(tmp_path / "joined" / "evaluations.csv")
    assert [row["paper_network"] for row in evaluations] == ["a", "b"]
    assert read(tmp_path / "joined" / "timings.csv") == []


def test_a_file_of_other_columns_is_refused(tmp_path):
    (tmp_path / "pool.csv").write_text("alpha,beta\n1,2\n")
    with pytest.raises(InputError, match="alpha, beta"):
        gather_rows([tmp_path / "pool.csv"], tmp_path / "joined")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        gather_rows([tmp_path / "pool.csv"], tmp_path / "joined")


def test_a_file_cut_within_a_row_is_refused(tmp_path):
    file = tmp_path / "timings.csv"
    write_rows("timings", [{"seconds": 1.5, "provenance": '{"a": "b"}'}] * 2, file)
    content = file.read_bytes()
    for end in range(content.index(b"\n") + 1, len(content)):
        file.write_bytes(content[:end])
        if content[:end].endswith(b"\n"):
            gather_rows([file], tmp_path / "joined")
        else:
            with pytest.raises(InputError, match="cut short"):
                gather_rows([file], tmp_path / "joined")
