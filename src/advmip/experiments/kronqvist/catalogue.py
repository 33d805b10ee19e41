"""What the rows of the lecture's example are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard
from advmip.provenance import EXACT
from advmip.settings import Settings

# What decides the results of its job, as in `code_digest`.
CODE = {
    "relaxation": (
        *("checking.activations", "checking.relu_inputs", "experiments.activations"),
        *("experiments.kronqvist", *EXACT, "networks"),
    )
}


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """None: the example's network is written down, not trained."""
    return {}


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has, as in `Catalogue`."""
    if experiment != "relaxation":
        return []
    return [Shard(f"kronqvist/relaxation/{network}", ("neurons", "samples"))]
