"""Published values and claims, read from one YAML file per source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from advmip.durability.storage import read_yaml
from advmip.errors import InputError


class Better(StrEnum):
    """Which values of a quantity are better."""

    SMALLER = "smaller"
    LARGER = "larger"

    def prefers(self, ours: float, published: float) -> bool:
        """Whether our value is better than the published one."""
        return ours < published if self is Better.SMALLER else ours > published


@dataclass(frozen=True)
class PaperNetwork:
    """A network of a paper, as it must be for numbers to be comparable.

    Attributes:
        architecture: Name in the library's registry; None where the source has a name alone.
        dataset: Name of the data set.
        test_images: Number of test images behind a published accuracy.
    """

    architecture: str | None
    dataset: str
    test_images: int


@dataclass(frozen=True)
class Tolerance:
    """How far from a published value still counts as reproduced.

    Attributes:
        amount: Distance in the quantity's unit, or the largest ratio either way.
        is_factor: Whether `amount` is a ratio.
        reason: Why this much.
    """

    amount: float
    is_factor: bool
    reason: str

    def band(self, published: float, allowance: float = 0.0) -> tuple[float, float]:
        """Between what our value is close enough; `allowance` widens an absolute tolerance."""
        if self.is_factor:
            return published / self.amount, published * self.amount
        half = self.amount + allowance + 1e-12
        return published - half, published + half


@dataclass(frozen=True)
class Block:
    """Published values that share their row file, query and tolerance.

    Attributes:
        name: Name, unique in the source.
        where: Where the source prints it.
        output: The table or figure of ours that shows it.
        rows: The row file, such as "evaluations".
        match: Columns and values that select the rows of the whole block.
        comparable: Columns and values that our rows must have for a comparison.
        time_limit: The time limit behind the values in seconds, or the column of ours that has that
            of each row; None where there is none.
        obstacle: Why nothing of ours can be compared with the values, as "kind: detail"; empty if
            it can.
        epochs: Epochs of training behind the values, where a network was trained anew.
        instead: The experiment whose rows count instead where a scale runs it, if any.
        keys: Columns that tell the block's values apart.
        theirs: Those of the keys that say whose a value is, which rows of ours do not have.
        quantities: Columns that hold the numbers, with their printed decimals.
        tolerances: Tolerance by quantity.
        better: Which values are better, by quantity; none for one that has no better or worse.
        baseline: The block from which a change is measured, if any.
        relative_to: The keys of the value in this block from which a change is measured, if any.
        is_change: Whether the values are changes themselves.
        of: Of how many the numbers count some, if they are counts; they are held in percent.
        values: One entry per row printed: its keys and its numbers.
    """

    name: str
    where: str
    output: str
    rows: str
    match: dict[str, Any]
    comparable: dict[str, Any]
    time_limit: float | str | None
    obstacle: str
    epochs: int | None
    instead: str | None
    keys: list[str]
    theirs: list[str]
    quantities: dict[str, int]
    tolerances: dict[str, Tolerance]
    better: dict[str, Better]
    baseline: str | None
    relative_to: dict[str, Any] | None
    is_change: bool
    of: int | None
    values: list[tuple[dict[str, Any], dict[str, float]]]

    def selecting(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """Columns and values that select our rows beside the value of these keys."""
        own = {name: value for name, value in keys.items() if name not in self.theirs}
        return {**self.match, **own}

    def published(self, keys: dict[str, Any], quantity: str) -> float:
        """The published number under the given keys.

        Raises:
            KeyError: The block has no such row.
        """
        for row_keys, numbers in self.values:
            if row_keys == keys:
                return numbers[quantity]
        raise KeyError(f"block {self.name} has no row {keys}")


@dataclass(frozen=True)
class Claim:
    """A claim in words, with the predicate that judges it.

    Attributes:
        name: A few words.
        where: Where the source says it.
        words: The words.
        predicate: Name in the registry of predicates.
        arguments: Keyword arguments of the predicate.
        reason: Why the predicate's numbers are as they are; may be empty.
        paper_networks_only: Whether a stand-in network says nothing about the claim.
        protocols: Those that it is judged under; None for all of the source.
        runs: The row file of the runs that it speaks of; None for that of the source.
    """

    name: str
    where: str
    words: str
    predicate: str
    arguments: dict[str, Any]
    reason: str
    paper_networks_only: bool
    protocols: tuple[str, ...] | None = None
    runs: str | None = None


@dataclass(frozen=True)
class Source:
    """One source: its networks, its published values and its claims.

    Attributes:
        name: Short name.
        title: Title.
        authors: Authors.
        year: Year.
        protocols: How gradient attacks are run, where claims are judged under several protocols.
        runs: The row file of the runs that claims speak of, such as "evaluations".
        networks: By name in the source.
        blocks: Published values, by name.
        claims: Claims in words.
    """

    name: str
    title: str
    authors: str
    year: int
    protocols: tuple[str, ...]
    runs: str
    networks: dict[str, PaperNetwork]
    blocks: dict[str, Block]
    claims: list[Claim]


def read_sources(papers_dir: Path) -> dict[str, Source]:
    """All sources of a folder, by short name, in the order of their files' names.

    Raises:
        InputError: The folder holds no YAML file, or one does not follow the format.
    """
    files = sorted(papers_dir.glob("*.yaml"), key=lambda path: path.name, reverse=True)
    if not files:
        raise InputError(
            subject=f"folder of papers {papers_dir}",
            found="no YAML file",
            expected="one file per source",
            mend="give the folder workflow/papers",
        )
    sources = [read_source(path) for path in files]
    return {source.name: source for source in sources}


def read_source(path: Path) -> Source:
    """One source from its YAML file; the format is described in zhao_kronqvist.yaml.

    Raises:
        InputError: The file does not follow the format.
    """
    try:
        content = read_yaml(path)
        better = {
            quantity: Better(which)
            for which, quantities in content.get("better", {}).items()
            for quantity in quantities
        }
        return Source(
            name=content["source"],
            title=content["title"],
            authors=content["authors"],
            year=content["year"],
            protocols=tuple(content["protocols"]),
            runs=content["runs"],
            networks={name: PaperNetwork(**n) for name, n in content["networks"].items()},
            blocks={
                entry["block"]: _block(entry, content["tolerances"], better)
                for entry in content["values"]
            },
            claims=[_claim(entry) for entry in content["claims"]],
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            subject=f"file of published values {path}",
            found=f"{type(error).__name__}: {error}",
            expected="the format described at the head of zhao_kronqvist.yaml",
            mend="correct the entry",
        ) from error


def _block(entry: dict[str, Any], tolerances: dict[str, Any], better: dict[str, Better]) -> Block:
    keys, quantities = list(entry["keys"]), list(entry["quantities"])
    width = len(keys) + len(quantities)
    uneven = [row for row in entry["values"] if len(row) != width]
    if uneven:
        raise ValueError(f"block {entry['block']}: {uneven[0]} has not {width} entries")
    return Block(
        name=entry["block"],
        where=entry["where"],
        output=entry["output"],
        rows=entry["rows"],
        match=dict(entry["match"]),
        comparable=dict(entry.get("comparable", {})),
        time_limit=entry.get("time_limit"),
        obstacle=entry.get("obstacle", ""),
        epochs=entry.get("epochs"),
        instead=entry.get("instead"),
        keys=keys,
        theirs=list(entry.get("theirs", [])),
        quantities=dict(zip(quantities, entry["decimals"], strict=True)),
        tolerances={
            quantity: _tolerance(tolerances[entry["tolerance"]][quantity])
            for quantity in quantities
        },
        better={name: better[name] for name in quantities if name in better},
        baseline=entry.get("baseline"),
        relative_to=entry.get("relative_to"),
        is_change=bool(entry.get("is_change", False)),
        of=entry.get("of"),
        values=[
            (
                dict(zip(keys, row[: len(keys)], strict=True)),
                {
                    name: 100.0 * number / entry["of"] if "of" in entry else float(number)
                    for name, number in zip(quantities, row[len(keys) :], strict=True)
                },
            )
            for row in entry["values"]
        ],
    )


def _tolerance(entry: dict[str, Any]) -> Tolerance:
    is_factor = "factor" in entry
    amount = float(entry["factor"] if is_factor else entry["absolute"])
    return Tolerance(amount, is_factor, entry["reason"])


def _claim(entry: dict[str, Any]) -> Claim:
    return Claim(
        name=entry["claim"],
        where=entry["where"],
        words=" ".join(entry["words"].split()),
        predicate=entry["predicate"],
        arguments=dict(entry["arguments"]),
        reason=entry.get("reason", ""),
        paper_networks_only=bool(entry.get("paper_networks_only", False)),
        protocols=tuple(entry["protocols"]) if "protocols" in entry else None,
        runs=entry.get("runs"),
    )
