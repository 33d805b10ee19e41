"""What the networks and rows of Tjeng's poster are.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from advmip.experiments.recipes import NetworkRecipe
from advmip.experiments.shards import Shard, shards_on
from advmip.experiments.tjeng.instances import origin_of, shard_of, shards_of
from advmip.experiments.zhao_kronqvist import catalogue as zhao_kronqvist
from advmip.provenance import EXACT
from advmip.settings import Settings

# What decides the results of each kind of job, as in `code_digest`.
CODE = {
    "finetuned_network": (
        *zhao_kronqvist.CODE["adversarial_sets"],
        *("experiments.tjeng.networks", "finetuning"),
    ),
    "verifications": (
        *("checking.attacks", "datasets", "experiments.ball_attacks"),
        "experiments.tjeng.instances",
        *("experiments.tjeng.verifications", "gradient_attacks", *EXACT, "networks"),
    ),
}


def networks(settings: Settings) -> dict[str, NetworkRecipe]:
    """The poster's networks that are trained here."""
    return {
        name: NetworkRecipe(
            architecture=chosen["architecture"],
            dataset=chosen["dataset"],
            training=chosen["training"],
            weights=weights_of(settings, name),
            defence=chosen["defence"],
            training_images=chosen["training_images"],
        )
        for name, chosen in settings["tjeng"]["networks"].items()
        if chosen["architecture"] is not None
    }


def shards_with(settings: Settings, experiment: str, network: str) -> list[Shard]:
    """The jobs whose rows an experiment on a network has, as in `Catalogue`."""
    return [
        Shard(f"tjeng/{experiment}/{number}", ("verifications",))
        for number in shards_on(shards_of(settings, experiment), network)
    ]


def weights_of(settings: Settings, paper_network: str, *, finetuned: bool = False) -> str:
    """The file of a network that is verified, below the folder of networks.

    Args:
        settings: All settings.
        paper_network: A key of `tjeng.networks` or of `networks` in the settings.
        finetuned: Whether it is the fine-tuned form of one of `networks`.
    """
    if finetuned:
        return f"verified/{paper_network}-finetuned.safetensors"
    if paper_network in settings["networks"]:
        return zhao_kronqvist.networks(settings)[paper_network].weights
    return f"verified/{origin_of(settings, paper_network)}.safetensors"


def network_files(settings: Settings, experiment: str, shard: int) -> list[str]:
    """The files, as in `weights_of`, of those networks of one job that are made here."""
    instances = shard_of(settings, experiment, shard)
    made = {*networks(settings), *settings["networks"]}
    files = [
        weights_of(settings, name, finetuned=finetuned)
        for name, finetuned in dict.fromkeys(instance.network for instance in instances)
        if origin_of(settings, name) in made
    ]
    return list(dict.fromkeys(files))
