"""What a scale sets out to run, so that rows left out on purpose are told from missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from advmip.experiments.zhao_kronqvist.certified_instances import (
    CERTIFICATES,
    PROOFS,
    PROTOCOL,
    REPAIRS,
)
from advmip.settings import Settings


@dataclass(frozen=True)
class Plan:
    """The runs of one scale, as far as tables and verdicts must know them.

    Attributes:
        counts: |X_adv| of the fine-tuning runs, by experiment, protocol and network of the paper;
            where several methods stand beside each other, by experiment as in `by_method`.
        training_images: Images behind the training loss by network of the paper; None for all.
        retraining_epochs: Epochs of the networks trained anew, by network of the paper.
        distances: Of the exact attacks, or methods, by experiment and network of the paper.
        solvers: That are compared on the same attacks, by experiment and network of the paper.
        distances: Of the exact attacks, by experiment and network of the thesis, of the
            verifications, by experiment and network of the poster, of the properties, by
            benchmark, and of the balls that are repaired, by method and network.
        released_weights: Whether fine-tuning starts from the weights that the authors released.
    """

    counts: Mapping[tuple[str, str, str], frozenset[int]]
    training_images: Mapping[str, int | None]
    retraining_epochs: Mapping[str, int]
    released_weights: bool
    distances: Mapping[tuple[str, str], frozenset[str]]
    solvers: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @property
    def attacked(self) -> set[str]:
        """The networks that exact attacks or verifications are done on."""
        return {network for _, network in self.distances}

    def attacks(
        self,
        experiment: str,
        paper_network: str,
        distance: str | None,
        solver: str | None = None,
    ) -> bool:
        """Whether the scale attacks a network in an experiment, by a distance or by any.

        Where solvers are compared, by one of them or by any.
        """
        key = experiment, paper_network
        distances, solvers = self.distances.get(key, frozenset()), self.solvers.get(key)
        if solver is not None and solvers is not None and solver not in solvers:
            return False
        return bool(distances) if distance is None else distance in distances

    def runs(
        self, experiment: str, protocol: str, paper_network: str, adversarial_count: int | None
    ) -> bool:
        """Whether the scale runs a network under a protocol with so many examples.

        Args:
            experiment: Name of the experiment, such as "tables".
            protocol: "published" or "described".
            paper_network: The network's name in the paper.
            adversarial_count: |X_adv|; None asks for any.
        """
        counts = self.counts.get((experiment, protocol, paper_network), frozenset())
        return adversarial_count in counts if adversarial_count is not None else bool(counts)


def by_method(experiment: str, method: str) -> str:
    """A part of an experiment as `Plan.counts` names it: what is done in it by one method."""
    return f"{experiment}, {method}"


def plan_of(settings: Settings) -> Plan:
    """The plan that complete settings contain."""
    networks = settings["networks"]
    ours = settings["benmhenni"]["experiments"]
    compared = ours["efficiency"]["networks"]
    answered = settings["vnncomp"]["benchmarks"]
    return Plan(
        counts=_counts(settings),
        training_images={name: chosen["training_images"] for name, chosen in networks.items()},
        retraining_epochs={
            name: chosen["retraining"]["epochs"] for name, chosen in networks.items()
        },
        released_weights=settings["weights"] == "released",
        distances={
            (experiment, network): frozenset(attacks["distances"])
            for experiment, by_network in settings["zhu"]["experiments"].items()
            for network, attacks in by_network.items()
        }
        | {("efficiency", name): frozenset(each["distances"]) for name, each in compared.items()}
        | {
            ("appearance", name): frozenset(each["methods"])
            for name, each in ours["appearance"]["networks"].items()
        }
        | {
            (experiment, network): frozenset({"linf"})
            for experiment, by_network in settings["tjeng"]["experiments"].items()
            for network in by_network
            if network in settings["tjeng"]["networks"]
        }
        | {("benchmarks", name): frozenset({"linf"}) for name in answered}
        | {
            (by_method(REPAIRS, method), network): frozenset({"linf"})
            for network, runs in settings["zk"]["repair"].items()
            for method in (CERTIFICATES, *runs["beside"])
        },
        solvers={
            ("efficiency", name): frozenset(each["solvers"]) for name, each in compared.items()
        }
        | {("benchmarks", name): frozenset(each["solvers"]) for name, each in answered.items()},
    )


def _counts(settings: Settings) -> dict[tuple[str, str, str], frozenset[int]]:
    counts: dict[tuple[str, str, str], frozenset[int]] = {
        (experiment, protocol, network): frozenset(shards["adversarial_counts"])
        for experiment, by_network in settings["zk"]["experiments"].items()
        for network, shards in by_network.items()
        for protocol, seeds in shards["seeds"].items()
        if seeds > 0
    }
    for network, runs in settings["zk"]["certified"].items():
        for method in (CERTIFICATES, *runs["beside"]):
            place = by_method(PROOFS, method), PROTOCOL, network
            counts[place] = frozenset(runs["image_counts"])
    return counts
