"""What the networks and rows of the competition's benchmarks are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from advmip.errors import looked_up
from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard
from advmip.experiments.tjeng import catalogue as tjeng
from advmip.experiments.vnncomp.instances import EXPERIMENT, benchmark_of, shards_of
from advmip.experiments.zhu import catalogue as zhu
from advmip.provenance import EXACT
from advmip.settings import Settings

# What decides the results of its jobs, as in `code_digest`.
CODE = {
    "benchmark_answers": (
        *("checking", "datasets", "experiments.vnncomp", *EXACT, "networks"),
        *("verifying_properties", "vnncomp"),
    )
}


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """None: the competition's networks are published, those of boxes are of other sources."""
    return {}


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a benchmark has, as in `Catalogue`."""
    if experiment != EXPERIMENT:
        return []
    return [
        Shard(f"vnncomp/{EXPERIMENT}/{network}-{number}", ("answers", "published_answers"))
        for number in range(len(shards_of(settings, network)))
    ]


def recipes_of(settings: Settings, benchmark: str) -> dict[str, NetworkRecipe]:
    """The networks of other sources around whose images a benchmark's boxes are; none for files."""
    others = {**zhu.networks(settings), **tjeng.networks(settings)}
    names = benchmark_of(settings, benchmark)["networks"]
    return {name: looked_up("network", name, others) for name in names}


def network_files(settings: Settings, benchmark: str) -> list[str]:
    """Their files, below the folder of networks."""
    return [recipe.weights for recipe in recipes_of(settings, benchmark).values()]


def datasets_of(settings: Settings, benchmark: str) -> list[str]:
    """The data sets of whose images a benchmark's boxes are; none for files."""
    recipes = recipes_of(settings, benchmark).values()
    return list(dict.fromkeys(recipe.dataset for recipe in recipes))
