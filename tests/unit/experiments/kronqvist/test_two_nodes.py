"""The lecture's network of two nodes: what the lecture prints comes out of the library."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from advmip.experiments.kronqvist.two_nodes import two_nodes
from advmip.settings import load_settings

PROJECT = Path(__file__).parents[4]


def lecture(x1: float, x2: float) -> float:
    """The network as the lecture writes it."""
    return max(-2 * max(5 * x1 - 4 * x2 + 3, 0) + 50, 0)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("rows")
    two_nodes(load_settings({}, PROJECT / "workflow"), folder)

    def read(kind: str) -> list[dict[str, str]]:
        with (folder / f"{kind}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return {kind: read(kind) for kind in ("neurons", "samples")}


def test_the_bounds_are_those_of_the_lecture(rows: dict[str, list[dict[str, str]]]) -> None:
    first, second, _ = rows["neurons"]
    bounds = [float(row[side]) for row in (first, second) for side in ("lower", "upper")]
    assert bounds == pytest.approx([-67, 73, -96, 50], abs=1e-5)


def test_the_optimum_equals_brute_force_over_patterns(
    rows: dict[str, list[dict[str, str]]],
) -> None:
    # z = s2 (-2 s1 (5 x1 - 4 x2 + 3) + 50) where the signs of both nodes are those of the pattern.
    best = -np.inf
    for s1, s2 in itertools.product((0, 1), repeat=2):
        node = np.array([-10.0 * s1, 8.0 * s1]), -6.0 * s1 + 50
        inequalities = [[5 - 10 * s1, -4 + 8 * s1], (1 - 2 * s2) * node[0]]
        sides = [-3 + 6 * s1, -(1 - 2 * s2) * node[1]]
        answer = linprog(-s2 * node[0], inequalities, sides, bounds=[(-10, 10), (-5, 5)])
        if answer.status == 0:
            best = max(best, s2 * node[1] - answer.fun)
    output = rows["neurons"][2]
    assert output["outcome"] == "optimal"
    assert float(output["activation"]) == pytest.approx(best, abs=1e-5) == 50


def test_the_output_lies_between_the_bounds_of_its_relaxation(
    rows: dict[str, list[dict[str, str]]],
) -> None:
    samples = [
        {name: float(row[name]) for name in ("x1", "x2", "value", "lower", "upper")}
        for row in rows["samples"]
    ]
    assert {row["x1"] for row in samples} >= {-10.0, 0.0, 10.0}
    for row in samples:
        assert row["value"] == pytest.approx(lecture(row["x1"], row["x2"]), abs=1e-5)
        assert row["lower"] - 1e-5 <= row["value"] <= row["upper"] + 1e-5
    # Each node relaxes to a triangle: y <= 73 (p + 67) / 140 and z <= 50 (p + 96) / 146.
    for row in samples:
        entering = 5 * row["x1"] - 4 * row["x2"] + 3
        least, most = max(entering, 0), 73 * (entering + 67) / 140
        assert row["lower"] == pytest.approx(max(50 - 2 * most, 0), abs=1e-4)
        assert row["upper"] == pytest.approx(50 * (146 - 2 * least) / 146, abs=1e-4)


def test_the_worked_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    page = (PROJECT / "docs" / "two-node-example.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.S))
    exec(compile(code, "two-node-example.md", "exec"), {})
    said = [line.rpartition("  # ")[2] for line in code.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == said
