"""What the sources have: networks, and the rows of their experiments.

Each declares it in a module of its own, in the same words; the workflow and the forecast ask here.
Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from typing import Protocol

from advmip.experiments.ben_mhenni import catalogue as ben_mhenni
from advmip.experiments.kronqvist import catalogue as kronqvist
from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard
from advmip.experiments.tjeng import catalogue as tjeng
from advmip.experiments.vnncomp import catalogue as vnncomp
from advmip.experiments.zhao_kronqvist import catalogue as zhao_kronqvist
from advmip.experiments.zhu import catalogue as zhu
from advmip.settings import Settings


class Catalogue(Protocol):
    """What a source declares."""

    def networks(self, settings: Settings) -> dict[str, NetworkRecipe]:
        """Its networks that are made here, by their names in the source."""

    def shards_with(self, settings: Settings, experiment: str, network: str) -> list[Shard]:
        """The jobs whose rows an experiment on a network has; none if it is not the source's.

        Args:
            settings: All settings.
            experiment: The experiment's name.
            network: The source's name for the network, or for what stands in its place.
        """


SOURCES: tuple[Catalogue, ...] = (zhao_kronqvist, zhu, ben_mhenni, tjeng, kronqvist, vnncomp)


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """The networks of all sources, by their names there."""
    return {
        name: recipe for source in SOURCES for name, recipe in source.networks(settings).items()
    }


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has; none where the scale leaves it out."""
    return [
        shard for source in SOURCES for shard in source.shards_with(settings, experiment, network)
    ]
