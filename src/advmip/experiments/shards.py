"""How the instances of an experiment are divided among jobs.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from advmip.errors import InputError
from advmip.settings import ExactAttacks, SolverComparison

_Item = TypeVar("_Item")


class Shard(NamedTuple):
    """A job whose rows belong to an experiment.

    Attributes:
        name: Source, experiment and number, such as "zhu/progressive/DNN1-0": where its rows,
            journal, log and benchmark are, each below a folder for all of them.
        kinds: The kinds of its rows.
    """

    name: str
    kinds: tuple[str, ...]

    @property
    def row_files(self) -> list[str]:
        """Its files of rows, below the folder of shards."""
        return [f"{self.name}/{kind}.csv" for kind in self.kinds]


class _OnNetwork(Protocol):
    @property
    def paper_network(self) -> str: ...


def chunked(items: Sequence[_Item], size: int) -> list[list[_Item]]:
    """The items in their order, `size` of them in each shard; the last may be smaller."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def images_of(chosen: ExactAttacks | SolverComparison, distance: str) -> int:
    """How many images of a network are attacked by a distance."""
    return chosen["images_by_distance"].get(distance, chosen["images"])


def most_images(chosen: ExactAttacks | SolverComparison) -> int:
    """How many images of a network are attacked by any distance."""
    return max(images_of(chosen, distance) for distance in chosen["distances"])


def networks_of(instances: Sequence[_OnNetwork]) -> list[str]:
    """The networks that some instances are about, each once."""
    return list(dict.fromkeys(instance.paper_network for instance in instances))


def shards_on(shards: Sequence[Sequence[_OnNetwork]], paper_network: str) -> list[int]:
    """The numbers of the shards in which something is about a network."""
    return [
        number
        for number, instances in enumerate(shards)
        if any(instance.paper_network == paper_network for instance in instances)
    ]


def chosen_shard(shards: Sequence[list[_Item]], shard: int, what: str, scale: str) -> list[_Item]:
    """One of the shards.

    Args:
        shards: All shards.
        shard: Which, from 0.
        what: What they are shards of, as a user calls it.
        scale: The scale's name.

    Raises:
        InputError: There is none of that number.
    """
    if not 0 <= shard < len(shards):
        raise InputError(
            subject=f"shard {shard} of {what}",
            found=f"{len(shards)} shards at scale {scale}",
            expected="a shard from 0 on, of something that the scale does not leave out",
            mend="choose another shard, or add the entry to the scale",
        )
    return shards[shard]
