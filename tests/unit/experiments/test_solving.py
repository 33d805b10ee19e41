"""Finished instances are found again, however they are divided among jobs."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from advmip.experiments.shards import chunked
from advmip.experiments.solving import key_of, solved

IDENTITY = {"code": "abc", "network": "digest"}


class Image(NamedTuple):
    rank: int


class Jobs:
    """Jobs that square the ranks of images, and what they computed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.computed: list[int] = []

    def run(self, images: int, size: int) -> list[int]:
        self.computed = []
        found: list[int] = []
        for number, own in enumerate(chunked([Image(rank) for rank in range(images)], size)):
            journal = self.folder / f"{number}.jsonl"
            found += solved(journal, IDENTITY, "same-code", own, key_of, self._square)
        return found

    def _square(self, image: Image) -> int:
        self.computed.append(image.rank)
        return image.rank**2


def test_a_larger_share_goes_on_from_a_smaller_one(tmp_path: Path):
    jobs = Jobs(tmp_path)
    jobs.run(4, size=2)
    assert jobs.run(7, size=3) == [0, 1, 4, 9, 16, 25, 36]
    assert jobs.computed == [4, 5, 6]
    assert jobs.run(4, size=2) == [0, 1, 4, 9]
    assert jobs.computed == []


def test_what_is_found_beside_is_not_written_twice(tmp_path: Path):
    jobs = Jobs(tmp_path)
    jobs.run(4, size=2)
    jobs.run(4, size=4)
    lines = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == 4
