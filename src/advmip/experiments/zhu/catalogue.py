"""What the thesis's networks and rows are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from advmip.experiments.recipes import NetworkRecipe, made_as
from advmip.experiments.shards import Shard
from advmip.experiments.zhu.instances import (
    RETRAINING_SEED_SHIFT,
    STORED_BOUNDS,
    TEST_EXAMPLES,
    attacks_of,
    examples_added,
    retrainings,
    shard_of,
    shards_of,
)
from advmip.provenance import EXACT
from advmip.settings import Settings

_NETWORKS = ("datasets", "experiments.exact", "experiments.zhu", "networks")
# What decides the results of each kind of job, as in `code_digest`.
CODE = {
    "networks": _NETWORKS,
    "bounds": ("datasets", "experiments.zhu.bounds", *EXACT, "networks"),
    "attacks": (*_NETWORKS, "checking.attacks", *EXACT),
    "retrained": ("datasets", "experiments.zhu.retraining", "networks"),
    "accuracies": _NETWORKS,
    "gallery": (*_NETWORKS, "checking.attacks", "pictures"),
    "features": (
        *_NETWORKS,
        *("checking.activations", "checking.relu_inputs", "experiments.activations"),
        *(*EXACT, "pictures"),
    ),
    "square": ("experiments.zhu.square", "mip.distances"),
}


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """The thesis's networks, trained here."""
    return {
        name: NetworkRecipe(**chosen, weights=f"{chosen['architecture']}.safetensors")
        for name, chosen in settings["zhu"]["networks"].items()
    }


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has, as in `Catalogue`."""
    if experiment == "square":
        return [Shard(f"zhu/square/{network}", ("samples",))]
    if network not in settings["zhu"]["networks"]:
        return []
    if experiment == "networks":
        return [Shard("zhu/networks", ("networks",))]
    if experiment == "features":
        return [Shard(f"zhu/features/{network}", ("neurons", "pictures"))]
    if experiment == "accuracies":
        tested = attacks_of(settings, TEST_EXAMPLES, network)
        return [Shard(f"zhu/accuracies/{network}", ("accuracies",))] if tested else []
    shards = [Shard(name, ("attacks",)) for name in attack_shards(settings, experiment, network)]
    if shards and experiment == "gallery":
        shards.append(Shard(f"zhu/gallery/{network}", ("pictures",)))
    bounds = bounds_shards(settings, experiment, network)
    return [*shards, *(Shard(name, ("bounds",)) for name in bounds)]


def attack_shards(
    settings: Settings, experiment: str, network: str, distance: str | None = None
) -> list[str]:
    """The names of the jobs that attack a network, of all or of those by a distance."""
    return [
        f"zhu/{experiment}/{network}-{number}"
        for number, instances in enumerate(shards_of(settings, experiment, network))
        if distance is None or any(instance.distance == distance for instance in instances)
    ]


def bounds_shards(settings: Settings, experiment: str, network: str) -> list[str]:
    """The names of the jobs that bound a network for an experiment: one, or none."""
    chosen = attacks_of(settings, experiment, network)
    if chosen is None or chosen["bounds"] not in STORED_BOUNDS:
        return []
    return [f"zhu/bounds/{network}-{chosen['bounds']}"]


def attacked_images(
    settings: Settings, experiment: str, network: str, distance: str | None = None
) -> list[str]:
    """The files of rows and images of `attack_shards`, below the folder of shards."""
    return [
        f"{shard}/{file}"
        for shard in attack_shards(settings, experiment, network, distance)
        for file in ("attacks.csv", "adversarial.npz")
    ]


def retrained_file(network: str, trained_on: str) -> str:
    """The file of a retrained network, below the folder of networks."""
    return f"retrained/{network}-{trained_on}.safetensors"


def retrained_as(settings: Settings) -> dict[str, dict[str, object]]:
    """How each retrained network is trained, by its file below the folder of networks."""
    seed = settings["seed"] + RETRAINING_SEED_SHIFT
    return {
        retrained_file(network, trained_on): made_as(
            recipe, seed, examples_added(settings, network, trained_on)
        )
        for network, recipe in networks(settings).items()
        for trained_on in retrainings(settings, network)
    }


def retrained_network(settings: Settings, experiment: str, network: str, shard: int) -> list[str]:
    """The file of the retrained network that a job attacks, in a list; none if it attacks none."""
    trained_on = shard_of(settings, experiment, network, shard)[0].trained_on
    return [] if trained_on is None else [retrained_file(network, trained_on)]
