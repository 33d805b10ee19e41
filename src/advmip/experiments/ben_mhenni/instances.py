"""Which attacks a scale sets out to do, and how they are divided among jobs.

Light on purpose, as the settings are: the workflow asks before every run. A job may attack several
networks, so that small ones do not each pay for a process of their own.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from advmip.experiments.shards import chosen_shard, chunked, images_of
from advmip.settings import Settings

# Solvers on the same attacks (Table 3, Figures 6 and 7), and how visible attacks are (Table 2,
# Figure 5).
EFFICIENCY, APPEARANCE = "efficiency", "appearance"


class Instance(NamedTuple):
    """One attack.

    Attributes:
        paper_network: The paper's name of the network.
        rank: Which of the images that it classifies correctly, from 0.
        method: The distance to minimise, or a gradient attack.
        solver: The solver; None where none is compared.
    """

    paper_network: str
    rank: int
    method: str
    solver: str | None = None


def shards_of(settings: Settings, experiment: str) -> list[list[Instance]]:
    """The attacks of an experiment, one list for each job.

    All solvers meet an attack one after the other, while the machine is the same.

    Args:
        settings: All settings.
        experiment: "efficiency" or "appearance".
    """
    experiments = settings["benmhenni"]["experiments"]
    if experiment == EFFICIENCY:
        size = experiments["efficiency"]["attacks_per_job"]
        instances = [
            Instance(network, rank, distance, solver)
            for network, compared in experiments["efficiency"]["networks"].items()
            for distance in compared["distances"]
            for rank, solver in product(range(images_of(compared, distance)), compared["solvers"])
        ]
    else:
        size = experiments["appearance"]["attacks_per_job"]
        instances = [
            Instance(network, rank, method)
            for network, shown in experiments["appearance"]["networks"].items()
            for rank, method in product(range(shown["images"]), shown["methods"])
        ]
    return chunked(instances, size)


def time_limit_of(settings: Settings, instance: Instance) -> float:
    """The seconds that the solver of a comparison has for an attack."""
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    chosen = compared[instance.paper_network]
    return chosen["time_limit_by_solver"].get(instance.solver or "", chosen["time_limit"])


def shard_of(settings: Settings, experiment: str, shard: int) -> list[Instance]:
    """The attacks of one job.

    Raises:
        InputError: There is no such job at this scale.
    """
    what = f"experiment {experiment} of Ben Mhenni"
    return chosen_shard(shards_of(settings, experiment), shard, what, settings["scale"])
