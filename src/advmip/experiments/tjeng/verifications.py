"""Verifications: each is done, checked and recorded before the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from advmip.datasets import Dataset
from advmip.errors import CheckError
from advmip.experiments.ball_attacks import attacked
from advmip.experiments.data import first_images, load_split
from advmip.experiments.origin import network_columns, origin_columns
from advmip.experiments.rows import Row, write_rows
from advmip.experiments.solving import identity_of, key_of, solved
from advmip.experiments.tjeng.catalogue import CODE
from advmip.experiments.tjeng.instances import (
    AFTER,
    BEFORE,
    CONTROL,
    WHOLE,
    Instance,
    name_of,
    settings_of,
    shard_of,
)
from advmip.experiments.tjeng.networks import network_to_verify
from advmip.mip.verification import Outcome, Verdict, VerificationIngredients, Verifier
from advmip.networks import Network
from advmip.settings import Settings, Verifications

# What a verdict depends on among the settings of its experiment.
_DECISIVE = ("solver", "time_limit")

_INGREDIENTS = {
    **dict.fromkeys((WHOLE, BEFORE, AFTER), VerificationIngredients()),
    CONTROL: VerificationIngredients(shortcuts=False),
    "without_progressive": VerificationIngredients(shortcuts=False, progressive=False),
    "without_ball": VerificationIngredients(shortcuts=False, ball=False),
    "without_tight": VerificationIngredients(shortcuts=False, tight=False),
}


def verifications(
    settings: Settings, experiment: str, shard: int, networks: Path, journal: Path, out: Path
) -> None:
    """Do the verifications of one job.

    Each goes into a journal as soon as it is finished: a process that is killed goes on behind
    the last one.

    Args:
        settings: All settings.
        experiment: A key of `tjeng.experiments` in the settings.
        shard: Which of the experiment's jobs.
        networks: The folder of networks, as in `network_to_verify`.
        journal: Where finished verifications are recorded.
        out: The rows, of kind "verifications".

    Raises:
        InputError: The scale has no such verifications, or a file cannot be used.
        CheckError: An answer failed its independent check.
    """
    instances = shard_of(settings, experiment, shard)
    verified = {
        network: _VerifiedNetwork.loaded(settings, experiment, network, networks, journal.parent)
        for network in dict.fromkeys(instance.network for instance in instances)
    }
    identity = identity_of(
        settings,
        CODE["verifications"],
        networks=[[*network, each.depends] for network, each in verified.items()],
        pgd_iterations=settings["tjeng"]["pgd_iterations"],
    )
    rows = solved(
        journal,
        identity,
        settings["reuse"],
        instances,
        key_of,
        lambda instance: verified[instance.network].solve(instance),
        warm_up=True,
    )
    write_rows("verifications", rows, out)


@dataclass(frozen=True, eq=False)
class _VerifiedNetwork:
    """A network with the images that are verified on it."""

    settings: Settings
    experiment: str
    paper_network: str
    network: Network
    images: Dataset
    failures: Path

    @classmethod
    def loaded(
        cls,
        settings: Settings,
        experiment: str,
        identity: tuple[str, bool],
        networks: Path,
        failures: Path,
    ) -> _VerifiedNetwork:
        """A network of instances from files."""
        name, finetuned = identity
        network = network_to_verify(settings, name, networks, finetuned=finetuned)
        test = load_split(settings, settings_of(settings, name)["dataset"], "test")
        count = settings["tjeng"]["experiments"][experiment][name]["images"]
        return cls(settings, experiment, name, network, first_images(test, count), failures)

    @property
    def chosen(self) -> Verifications:
        """The settings of its verifications."""
        return self.settings["tjeng"]["experiments"][self.experiment][self.paper_network]

    @property
    def depends(self) -> dict[str, Any]:
        """What its verdicts depend on."""
        decisive = {name: self.chosen[name] for name in _DECISIVE}  # type: ignore[literal-required]
        return {"network": self.network.digest, "images": self.images.digest, **decisive}

    @cache  # noqa: B019 - as long as the job, which is as long as the process
    def verifier(self, epsilon: float, variant: str) -> Verifier:
        """What verifies on this network."""
        return Verifier(
            self.network,
            epsilon,
            time_limit=self.chosen["time_limit"],
            solver=self.chosen["solver"],
            threads=self.settings["threads"],
            seed=self.settings["seed"],
            ingredients=_INGREDIENTS[variant],
            failures=self.failures,
        )

    def solve(self, instance: Instance) -> Row:
        """The row of one verification."""
        shape = self.network.architecture.input_shape
        image = self.images.images[instance.image].reshape(shape)
        label = int(self.images.labels[instance.image])
        verdict = self.verifier(instance.epsilon, instance.variant).verdict(image, label)
        (broken,) = attacked(
            self.network,
            image[None],
            [label],
            instance.epsilon,
            iterations=self.settings["tjeng"]["pgd_iterations"],
            seed=self.settings["seed"],
        )
        if broken and verdict.status is Outcome.ROBUST:
            raise CheckError(
                f"{key_of(instance)}: proved robust, but PGD found an image in the ball with "
                "another class"
            )
        return {
            **network_columns(self.experiment, self.paper_network, self.network, self.images),
            **origin_columns(self.settings, "tjeng", CODE["verifications"]),
            "network": name_of(self.settings, self.paper_network),
            "variant": instance.variant,
            "image": instance.image,
            "label": label,
            "epsilon": instance.epsilon,
            **{name: self.chosen[name] for name in _DECISIVE},  # type: ignore[literal-required]
            "pgd_attacked": broken,
            **_found(verdict),
            "status": "ok",
            "checked": True,
        }


def _found(verdict: Verdict) -> Row:
    """What was proved or found, and what it took."""
    return {
        "outcome": verdict.status.value,
        "predicted": verdict.predicted,
        "evidence": verdict.evidence.value,
        "least_margin": float(verdict.margins.min()),
        "unstable": verdict.unstable,
        "nodes": verdict.nodes,
        "solver_taken": verdict.solver,
        "solver_reason": verdict.reason,
        "seconds_total": verdict.processor_seconds,
        **{f"seconds_{phase}": seconds for phase, seconds in verdict.phases.items()},
    }
