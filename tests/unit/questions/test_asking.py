"""Tables of answers: gone on with after a kill, the same from any number of processes."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advmip import cli, load_dataset, load_network
from advmip.questions.asking import Asked, ask
from advmip.questions.ball_verification import BallVerification
from advmip.questions.labelled_images import LabelledImage
from advmip.questions.nearest_attack import NearestAttack

KINDS = [(NearestAttack, {}), (BallVerification, {"epsilon": 0.03})]


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that are answered anew."""
    names: list[str] = []
    for kind, _ in KINDS:
        honest = kind.answer

        def counting(self: Any, each: LabelledImage, honest: Any = honest) -> Any:
            names.append(each.name)
            return honest(self, each)

        monkeypatch.setattr(kind, "answer", counting)
    return names


@pytest.mark.parametrize(("kind", "how"), KINDS)
def test_a_table_is_gone_on_with_and_complete(
    kind: Any, how: dict[str, Any], digits_network: Path, tmp_path: Path, solved: list[str]
) -> None:
    table = tmp_path / "found.csv"
    first = ask(kind, digits_network, Asked(["digits:0-2"]), table, **how)
    begun = rows_of(table)
    journal = table.with_suffix(".jsonl")
    # Killed while it wrote the last line, and the row before.
    journal.write_bytes(journal.read_bytes()[:-20])
    table.write_text("image,lab")
    solved.clear()
    second = ask(kind, digits_network, Asked(["digits:0-3", "none.npy"]), table, **how)
    assert solved == ["digits:2", "digits:3"]
    rows = rows_of(table)
    assert rows[:2] == begun[:2]
    # Asked again: how many nodes it takes hangs on the clock, what comes out does not.
    for column in ("image", "label", "outcome"):
        assert rows[2][column] == begun[2][column]
    if "distance" in rows[2]:
        assert float(rows[2]["distance"]) == pytest.approx(float(begun[2]["distance"]), rel=2e-4)
    assert [row["image"] for row in rows] == [f"digits:{n}" for n in range(4)] + ["none.npy"]
    assert rows[4]["outcome"] == "failed"
    assert "no such file" in rows[4]["failure"]
    for one, other in zip(first.answers[:2], second.answers[:2], strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_equal(vars(one), vars(other))
    kept = {file.stem for file in (tmp_path / "found").glob("*.npy")}
    attacked = [
        f"digits-{number}"
        for number, answer in enumerate(second.answers)
        if answer is not None and answer.adversarial is not None
    ]
    assert kept == set(attacked)
    # Other settings are other answers.
    solved.clear()
    ask(kind, digits_network, Asked(["digits:0"]), table, **how, seed=7)
    assert solved == ["digits:0"]


@pytest.mark.parametrize(("kind", "how"), KINDS)
def test_processes_give_the_same_rows_as_one(
    kind: Any, how: dict[str, Any], digits_network: Path, tmp_path: Path
) -> None:
    names = ["digits:0-3", "none.npy", "digits:4"]
    for jobs in (1, 2):
        ask(kind, digits_network, Asked(names, jobs=jobs), tmp_path / f"{jobs}.csv", **how)
    one, two = (rows_of(tmp_path / f"{jobs}.csv") for jobs in (1, 2))
    assert [row["image"] for row in one] == [f"digits:{n}" for n in range(4)] + names[1:]
    # A solver that is not alone counts its nodes otherwise; answers agree up to the gap.
    for row, other in zip(one, two, strict=True):
        for column in ("image", "label", "outcome", "failure"):
            assert row[column] == other[column]
        if row.get("distance"):
            assert float(row["distance"]) == pytest.approx(float(other["distance"]), rel=2e-4)


def test_json_has_the_rows_of_the_table(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "found.csv"
    asked = Asked(["digits:0-1", "none.npy"], as_json=True)
    # With such a margin there is no attack: the distance is infinite, which JSON cannot say.
    ask(NearestAttack, digits_network, asked, table, ratio=1e9, margin=1e9)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = rows_of(table)
    assert [each["image"] for each in told] == [row["image"] for row in rows]
    assert [each["outcome"] for each in told] == [row["outcome"] for row in rows]
    assert math.isinf(float(rows[0]["distance"]))
    assert told[0]["distance"] is None


def test_a_misclassified_image_is_no_failure(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = load_dataset("digits", "test")
    wrong = (test.labels[:2] + np.array([1, 0])) % 10
    np.savez(tmp_path / "two.npz", images=test.images[:2], labels=wrong)
    table = tmp_path / "found.csv"
    batch = ask(NearestAttack, digits_network, Asked([str(tmp_path / "two.npz")]), table)
    assert not batch.failures
    assert batch.answers[0] is None
    assert "taken for" in capsys.readouterr().out
    row = rows_of(table)[0]
    answer = load_network(digits_network).answer(test.images[0])
    assert (row["outcome"], float(row["distance"])) == ("misclassified", 0.0)
    assert int(row["predicted"]) == answer


def test_the_domain_bounds_attacks(digits_network: Path, tmp_path: Path) -> None:
    distances = []
    for lower, upper in ((0.0, 1.0), (-1.0, 2.0)):
        out = tmp_path / "attacked"
        asked = Asked(["digits:0"])
        (attack,) = ask(NearestAttack, digits_network, asked, out, lower=lower, upper=upper).answers
        assert attack is not None
        distances.append(attack.distance)
        assert lower <= np.load(tmp_path / "attacked.npy").min()
    assert distances[1] <= distances[0] * (1 + 1e-4)


def test_many_attacks_without_a_table_are_drawn_into_a_folder(
    digits_network: Path, tmp_path: Path
) -> None:
    ask(NearestAttack, digits_network, Asked(["digits:0-1"]), tmp_path / "attacked")
    assert {file.name for file in (tmp_path / "attacked").iterdir()} == {
        f"digits-{number}{suffix}" for number in range(2) for suffix in (".npy", ".png")
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["attack", "--distance", "linfinity"], "linfinity"),
        (["attack", "--target", "10"], "a class from 0 to 9"),
        (["attack", "--solver", "cplex"], "solver"),
        (["attack", "--time-limit", "0"], "time_limit"),
        (["verify", "--upper", "-1"], "domain of the inputs"),
        (["verify", "--norm", "l7"], "norm"),
    ],
)
def test_what_is_wrong_for_all_images_is_said_once(
    arguments: list[str],
    said: str,
    digits_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, *options = arguments
    out = str(tmp_path / "found.csv")
    words = ["advmip", command, str(digits_network), "digits:0-9", "--out", out, *options]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert said in printed.err
    assert not printed.out
    assert not list(tmp_path.iterdir())
