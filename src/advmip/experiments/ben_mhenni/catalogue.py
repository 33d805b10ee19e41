"""What Ben Mhenni's networks and rows are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from advmip.experiments.ben_mhenni.instances import APPEARANCE, EFFICIENCY, shard_of, shards_of
from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard, networks_of, shards_on
from advmip.provenance import EXACT
from advmip.settings import Settings

_ATTACKS = (
    *("appearance", "checking.attacks", "datasets", "experiments.ben_mhenni"),
    *("experiments.exact", "gradient_attacks", *EXACT, "networks"),
)
# What decides the results of each kind of job, as in `code_digest`.
CODE = {
    "illustrations": ("datasets", "experiments.ben_mhenni", *EXACT, "networks", "pictures"),
    EFFICIENCY: _ATTACKS,
    APPEARANCE: _ATTACKS,
}
# The kinds of rows that an attacking job writes, by experiment.
KINDS = {EFFICIENCY: ("attacks",), APPEARANCE: ("perturbations", "pictures")}


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """The paper's networks: trained here, or published."""
    return {
        name: NetworkRecipe(
            **chosen,
            weights=f"benmhenni/{name}.{'onnx' if chosen['file'] else 'safetensors'}",
        )
        for name, chosen in settings["benmhenni"]["networks"].items()
    }


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has, as in `Catalogue`."""
    if experiment == "illustrations":
        return [Shard("benmhenni/illustrations", (network,))]
    if experiment not in KINDS:
        return []
    return [
        Shard(f"benmhenni/{experiment}/{number}", KINDS[experiment])
        for number in shards_on(shards_of(settings, experiment), network)
    ]


def networks_attacked(settings: Settings, experiment: str, shard: int) -> list[str]:
    """The networks that a job attacks."""
    return networks_of(shard_of(settings, experiment, shard))
