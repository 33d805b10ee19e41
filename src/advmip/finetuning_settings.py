"""What is fine-tuned, as settings say it: the runs of Algorithm 1, and those that prove."""

from __future__ import annotations

from typing import Literal, TypedDict

Protocol = Literal["published", "described"]
Beside = Literal["points", "pgd_points", "linear_bounds"]


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


class CertifiedRuns(TypedDict):
    """The runs on one network that go on until chosen training images are proved robust."""

    epsilons: list[float]
    image_counts: list[int]
    seeds: int
    beside: list[Beside]
    iterations: int
    time_limit: float
    separation_time_limit: float
    verified_images: int
    image_time_limit: float
    attacked_images: int | None
    runs_per_job: int


class ZhaoKronqvist(TypedDict):
    """What all fine-tuning runs share, and the runs by experiment and network of the paper."""

    omega: list[float]
    margin: float
    sweeps: int
    experiments: dict[str, dict[str, FinetuningRuns]]
    certified: dict[str, CertifiedRuns]
