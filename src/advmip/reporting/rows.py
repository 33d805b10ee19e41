"""Reading the tidy rows that experiments write, and choosing among them by column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advmip.errors import InputError
from advmip.reporting.ben_mhenni.instances import compared, counted_perturbations
from advmip.reporting.columns import REQUIRED_COLUMNS
from advmip.reporting.plan import Plan
from advmip.reporting.tjeng.instances import counted_verifications
from advmip.reporting.vnncomp.instances import counted_answers
from advmip.reporting.zhu.instances import counted, counted_neurons

# Rows that sources take means over, with the quantities that they average.
_COUNTED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "attacks": lambda attacks: compared(counted(attacks)),
    "perturbations": counted_perturbations,
    "neurons": counted_neurons,
    "verifications": counted_verifications,
    "answers": counted_answers,
}
_REFUSED = "refused"
_ROUNDING = 1e-9


class MissingRowsError(InputError):
    """No row answers to a query that a table, a figure or a verdict needs.

    Args:
        kind: The row file, such as "evaluations".
        match: The query, column by column.
        folder: The folder of row files.
    """

    def __init__(self, kind: str, match: Mapping[str, object], folder: Path) -> None:
        query = ", ".join(f"{column}={_shown(value)}" for column, value in match.items())
        super().__init__(
            subject=f"rows of {kind} in {folder}",
            found=f"none with {query}",
            expected="at least one",
            mend="run the experiment that writes them; the workflow does so by itself",
        )
        self.match = dict(match)


class Rows:
    """The row files of one source at one scale.

    Args:
        folder: The folder that holds a CSV file of each kind; each is read when first asked for.
        plan: What the scale sets out to run; None where that is all that the sources publish.

    Raises:
        InputError: The folder does not exist.
    """

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        if not folder.is_dir():
            raise InputError(
                subject=f"folder of rows {folder}",
                found="no such folder",
                expected="a folder with the row files of one source",
                mend="run the experiments first; the workflow does so by itself",
            )
        self.folder = folder
        self.plan = plan
        self._file = cache(self._read_file)
        self._usable = cache(self._usable_rows)
        self._selected: dict[tuple[str, str], pd.DataFrame] = {}

    def frame(self, kind: str) -> pd.DataFrame:
        """All usable rows of one file.

        Rows whose status is not "ok" are left out.

        Args:
            kind: A key of `REQUIRED_COLUMNS`.

        Raises:
            InputError: The file is missing, lacks a column, or holds an unchecked answer.
        """
        frame: pd.DataFrame = self._usable(kind)
        return frame

    def select(self, kind: str, match: Mapping[str, Any]) -> pd.DataFrame:
        """The rows of a file whose columns have the given values.

        Args:
            kind: As in `frame`.
            match: Column to value; None matches an empty cell, a list any of its members.

        Raises:
            MissingRowsError: There is none.
            InputError: As in `frame`, or the file has no such column.
        """
        # Verdicts ask ten times for the same: predicates know nothing of each other.
        query = kind, repr(sorted(match.items()))
        if query not in self._selected:
            chosen = where(self.frame(kind), match)
            if chosen.empty:
                raise MissingRowsError(kind, match, self.folder)
            self._selected[query] = chosen
        return self._selected[query].copy(deep=False)

    def refusal(self, kind: str, match: Mapping[str, Any]) -> str | None:
        """Why a solver refused what a query asks for; None if none did.

        Args:
            kind: As in `frame`.
            match: As in `select`.
        """
        frame = self._file(kind)
        if "solver_reason" not in frame.columns:
            return None
        known = {column: value for column, value in match.items() if column in frame.columns}
        refused = where(frame, {**known, "status": _REFUSED})
        return None if refused.empty else str(refused["solver_reason"].iloc[0])

    def planned(
        self,
        paper_network: str,
        protocol: str,
        adversarial_count: int | None = None,
        experiment: str = "tables",
    ) -> bool:
        """Whether this scale ought to have fine-tuning rows.

        Args:
            paper_network: The network's name in the paper.
            protocol: "published" or "described".
            adversarial_count: |X_adv|; None for any.
            experiment: Name of the experiment.
        """
        if self.plan is None:
            return True
        return self.plan.runs(experiment, protocol, paper_network, adversarial_count)

    def expects(self, match: Mapping[str, Any]) -> bool:
        """Whether this scale ought to have rows that answer to a query.

        Args:
            match: Column to value, as in `select`.
        """
        if self.plan is None:
            return True
        network = str(match.get("paper_network", ""))
        if self.is_attacked(network):
            experiment = str(match.get("experiment"))
            distance = match.get("distance_name", match.get("method"))
            return self.plan.attacks(experiment, network, distance, match.get("solver"))
        return self.planned(network, str(match["protocol"]), match.get("adversarial_count"))

    def is_attacked(self, paper_network: object) -> bool:
        """Whether this scale does exact attacks on a network."""
        if self.plan is None or not isinstance(paper_network, str):
            return False
        return paper_network in self.plan.attacked

    def code_versions(self) -> int:
        """How many versions of the code the rows come from: the most that an experiment's have."""
        kinds = [kind for kind in REQUIRED_COLUMNS if self._path(kind).is_file()]
        return max((code_versions(self._file(kind)) for kind in kinds), default=1)

    def _path(self, kind: str) -> Path:
        return self.folder / f"{kind}.csv"

    def _read_file(self, kind: str) -> pd.DataFrame:
        path = self._path(kind)
        if not path.is_file():
            raise InputError(
                subject=f"row file {path}",
                found="no such file",
                expected=f"a CSV file with the columns {', '.join(REQUIRED_COLUMNS[kind])}",
                mend="run the experiments first; the workflow does so by itself",
            )
        return pd.read_csv(path, keep_default_na=False, na_values=[""])

    def _usable_rows(self, kind: str) -> pd.DataFrame:
        path = self._path(kind)
        frame = self._file(kind)
        lacking = [column for column in REQUIRED_COLUMNS[kind] if column not in frame.columns]
        if lacking:
            raise InputError(
                subject=f"row file {path}",
                found=f"no column {', '.join(lacking)}",
                expected=f"the columns {', '.join(REQUIRED_COLUMNS[kind])}",
                mend="remove the file and run the experiment again",
            )
        if "checked" in frame.columns:
            _refuse_unchecked(frame, path)
        if "status" in frame.columns:
            frame = frame[frame["status"] == "ok"].reset_index(drop=True)
        return _COUNTED[kind](frame) if kind in _COUNTED else frame


def code_versions(frame: pd.DataFrame) -> int:
    """How many digests of the code the rows of one kind have, at most in one experiment; 1 of none.

    Experiments rest on different parts of the code, and so differ in any case.
    """
    if "code" not in frame.columns:
        return 1
    return max(frame.groupby("experiment")["code"].nunique().tolist(), default=1)


def where(frame: pd.DataFrame, match: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a frame whose columns have the given values, possibly none.

    Args:
        frame: Any tidy rows.
        match: Column to value; None matches an empty cell, a list any of its members.

    Raises:
        InputError: A column is not there.
    """
    mask = np.ones(len(frame), dtype=bool)
    for column, value in match.items():
        if column not in frame.columns:
            raise InputError(
                subject=f"column {column!r}",
                found="not among the rows' columns",
                expected=f"one of {', '.join(frame.columns)}",
                mend="correct the query (workflow/papers) or the row file",
            )
        alternatives = value if isinstance(value, list | tuple) else [value]
        hits = [_equals(frame[column], alternative) for alternative in alternatives]
        mask &= np.logical_or.reduce(hits)
    return frame[mask]


def _equals(column: pd.Series[Any], value: object) -> NDArray[np.bool_]:
    if value is None:
        return column.isna().to_numpy(dtype=bool)
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        return np.abs(numbers - value) < _ROUNDING
    return (column == value).to_numpy(dtype=bool, na_value=False)


def _shown(value: object) -> str:
    return (
        "(empty)"
        if value is None or (isinstance(value, float) and math.isnan(value))
        else (str(value))
    )


def _refuse_unchecked(frame: pd.DataFrame, path: Path) -> None:
    unchecked = frame[(frame["status"] == "ok") & (frame["checked"].astype(str) != "True")]
    if len(unchecked):
        first = unchecked.iloc[0]
        raise InputError(
            subject=f"row file {path}",
            found=f"{len(unchecked)} answers that passed no check, the first in row "
            f"{unchecked.index[0] + 2} ({first['paper_network']}, {first['protocol']})",
            expected="every answer checked",
            mend="remove the file and run the experiment again",
        )
