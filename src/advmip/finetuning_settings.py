"""What is fine-tuned, as settings say it: the runs of Algorithm 1, and those that prove."""

from __future__ import annotations

from typing import Literal, TypedDict

Protocol = Literal["published", "described"]
Beside = Literal["points", "pgd_points", "linear_bounds"]
BesideRepair = Literal[
    "points",
    "linear_bounds",
    "gradient",
    "gradient_with_training",
    "last_layer_l1",
    "last_layer_linf",
]
Task = Literal["misclassified", "fog"]


class FinetuningRuns(TypedDict):
    """The fine-tuning runs of one network in one experiment."""

    adversarial_counts: list[int]
    attacked_images: list[int | None]
    radii: list[float]
    iterations: int
    fixed_ratio: float
    seeds: dict[Protocol, int]
    first_seed: int
    runs_per_job: int
    complete_pool: bool
    accuracy_per_iteration: bool


class ProvingRuns(TypedDict):
    """Runs on one network that go on until chosen images are proved robust."""

    epsilons: list[float]
    image_counts: list[int]
    seeds: int
    iterations: int
    time_limit: float
    separation_time_limit: float
    image_time_limit: float
    runs_per_job: int


class CertifiedRuns(ProvingRuns):
    """Those that start from training images that the network knows."""

    beside: list[Beside]
    verified_images: int
    attacked_images: int | None


class RepairRuns(ProvingRuns):
    """Those that start from training images that the network gets wrong."""

    beside: list[BesideRepair]
    tasks: list[Task]
    fog: float
    searched_images: int | None
    other_images: int
    training_images: int | None


class ZhaoKronqvist(TypedDict):
    """What all fine-tuning runs share, and the runs by experiment and network of the paper."""

    omega: list[float]
    margin: float
    sweeps: int
    experiments: dict[str, dict[str, FinetuningRuns]]
    certified: dict[str, CertifiedRuns]
    repair: dict[str, RepairRuns]
