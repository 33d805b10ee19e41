"""What trees note for a proof in a file (`checking/proofs/`), while they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advmip.checking.proofs.files import RegionWriter
from advmip.checking.proofs.input_trees import signs_in, write_input_tree
from advmip.checking.proofs.numbers import kept_multipliers, kept_slopes
from advmip.checking.proofs.sign_nodes import KeptForms, SignNode, SignTreeWriter
from advmip.mip.bounds.input_cuts import can_be_cut
from advmip.mip.bounds.lines import Multipliers, Sides
from advmip.mip.bounds.operators import Stage
from advmip.mip.model import Indices
from advmip.mip.verification_tree.branching import Split
from advmip.mip.verification_tree.neurons import Bounded


@dataclass(frozen=True, eq=False)
class Numbering:
    """How a proof counts what a tree is about.

    Attributes:
        neurons: Of each layer its neurons' numbers in the whole network, rising.
        cases: The numbers of the tree's cases in the question.
        conditions: Those of its conditions.
        asked: How many conditions the question has.
        factor: By which the tree's outputs are those of the network multiplied.
    """

    neurons: Sequence[Indices]
    cases: Indices
    conditions: Indices
    asked: int
    factor: float

    @property
    def several(self) -> bool:
        """Whether a case has several conditions."""
        return len(self.conditions) > len(self.cases)

    def with_sums(self) -> Numbering:
        """The same with one more condition of each case, as in `Asked.with_sums`."""
        return replace(self, conditions=np.append(self.conditions, self.asked + self.cases))


class SignTreeRecord:
    """The nodes of a tree over signs.

    Args:
        region: Takes what proves the region.
        numbering: How neurons and conditions are counted there.
    """

    def __init__(self, region: RegionWriter, numbering: Numbering) -> None:
        self._region, self._numbering = region, numbering
        self._begin(SignTreeWriter(region))

    def begin_again(self, stages: Sequence[Stage], pixels: int) -> None:
        """Forget all nodes: the tree begins again, with cuts wherever layers can have some.

        Args:
            stages: The network, as the tree counts it.
            pixels: How many there are.
        """
        inputs = {}
        for depth, stage in enumerate(stages[:-1]):
            if can_be_cut(stage):
                (layer,) = stage.terms
                entering = self._numbering.neurons[layer - 1] if layer else np.arange(pixels)
                inputs[depth] = entering.astype(np.int32)
        self._begin(SignTreeWriter(self._region, inputs))

    def _begin(self, writer: SignTreeWriter) -> None:
        self._writer = writer
        # Nodes that were done before their turn in the file; whose turns are next, the last first.
        self._early: dict[int, SignNode] = {}
        self._expected = [1]

    def node(
        self,
        place: int,
        first: int,
        signs: Sequence[Tensor],
        sides: Sequence[Sides],
        bounded: Sequence[Bounded | None],
        before: Sequence[Bounded | None],
        rows: Tensor,
        chosen: Multipliers,
        split: Split | None,
    ) -> None:
        """Note a node, in any order.

        Args:
            place: Its number: 1 is the root, 2 k and 2 k + 1 are the positive and negative half of
                k.
            first: The first layer that is bounded anew; 0 in the root.
            signs: The held signs.
            sides: Bounds of its neurons, up to the last layer that was bounded.
            bounded: What bounds them.
            before: What bounded them in its parent.
            rows: The conditions by which it excludes cases.
            chosen: The lines that bound these.
            split: By which it is split; None for a leaf.
        """
        neurons = self._numbering.neurons
        open_ = [each.unstable()[0].nonzero()[:, 0].numpy() for each in sides]
        anew = []
        for depth in range(first, len(sides)):
            now = bounded[depth]
            if now is None or now is before[depth]:
                anew.append(_nothing())
                continue
            places = neurons[depth][now.kept.numpy()].astype(np.int32)
            anew.append(_kept(places, now.chosen, open_[:depth], signs[:depth]))
        conditions = _nothing()
        if len(rows):
            places = self._numbering.conditions[rows.numpy()].astype(np.int32)
            order = np.argsort(places)
            lines = chosen.items(torch.from_numpy(order))
            factor = self._numbering.factor
            conditions = _kept(places[order], lines, open_, signs, factor)
        self._early[place] = SignNode(
            None if split is None else (split.layer, int(neurons[split.layer][split.neuron])),
            anew,
            [neurons[depth][open_[depth]].astype(np.int32) for depth in range(first, len(sides))],
            conditions,
            cut=any(each.weights is not None for each in (*anew, conditions)),
        )
        while self._expected and self._expected[-1] in self._early:
            place = self._expected.pop()
            node = self._early.pop(place)
            self._writer.node(node)
            if node.split is not None:
                self._expected += [2 * place, 2 * place + 1]

    def close(self) -> None:
        """Every node was noted."""
        self._writer.flush()


class InputTreeRecord:
    """The boxes of a tree over inputs; they are numbered as they come about, the region being 0.

    Args:
        region: Takes what proves the region.
        numbering: How conditions are counted there.
    """

    def __init__(self, region: RegionWriter, numbering: Numbering) -> None:
        self._region, self._numbering = region, numbering
        self._halves = [(-1, -1)]
        self._weights: list[tuple[Tensor, Tensor]] = []
        # Boxes that are proved by a tree over signs.
        self._signs: set[int] = set()

    def another(self) -> InputTreeRecord:
        """A record of another tree of the same region, of which one is to be written."""
        return InputTreeRecord(self._region, self._numbering)

    def become(self, other: InputTreeRecord) -> None:
        """Note what another record has in place of what is noted."""
        self._halves, self._weights, self._signs = other._halves, other._weights, other._signs

    def closed(self, numbers: Tensor, weights: Tensor) -> None:
        """Note boxes (N,) that exclude every case, by these sums of conditions (N, cases, rows)."""
        if self._numbering.several:
            self._weights.append((numbers, kept_weights(weights).sum(1).to(torch.uint8)))

    def signs(self, number: int) -> SignTreeRecord:
        """The record of a tree over signs in a box, which may come to nothing."""
        numbering = self._numbering
        if numbering.several:
            numbering = numbering.with_sums()
        return SignTreeRecord(self._region.part(signs_in(number)), numbering)

    def closed_by_signs(self, number: int, record: SignTreeRecord, weights: Tensor) -> None:
        """Note a box of which a tree over signs excludes every case.

        Args:
            number: The box.
            record: The tree's.
            weights: Of the sums of conditions that it is asked besides (cases, rows).
        """
        record.close()
        self._signs.add(number)
        self.closed(torch.tensor([number]), weights[None])

    def halved(self, numbers: Tensor, inputs: Tensor) -> Tensor:
        """Note boxes (N,) that are halved along inputs (N,); the numbers of their halves (2 N,)."""
        lower = len(self._halves) + 2 * torch.arange(len(numbers))
        for number, chosen, half in zip(
            numbers.tolist(), inputs.tolist(), lower.tolist(), strict=True
        ):
            self._halves[number] = chosen, half
            self._halves += [(-1, -1), (-1, -1)]
        return torch.cat([lower, lower + 1])

    def close(self) -> None:
        """Every box was noted."""
        conditions, whole = self._numbering.conditions, None
        if self._weights:
            whole = np.zeros((len(self._halves), len(conditions)), np.uint8)
            for numbers, weights in self._weights:
                whole[numbers.numpy()] = weights.numpy()[:, np.argsort(conditions)]
        write_input_tree(self._region, self._numbering.cases, self._halves, whole, self._signs)


def kept_weights(weights: Tensor) -> Tensor:
    """Weights (..., rows) as whole numbers up to 255, the largest one's."""
    return (weights / weights.amax(-1, keepdim=True) * 255.0).round()


def _kept(
    places: NDArray[np.int32],
    chosen: Multipliers,
    open_: Sequence[Indices],
    signs: Sequence[Tensor],
    factor: float = 1.0,
) -> KeptForms:
    """What bounds some forms, as it is kept: multipliers less a factor."""
    multipliers = [np.zeros((len(chosen.slopes[0][0]), 0))]
    for each, sign in zip(chosen.signs, signs, strict=bool(chosen.signs)):
        multipliers.append(each[0][:, sign[0, 0] != 0].numpy() / factor)
    kept = KeptForms(
        places,
        kept_slopes(_of_open(chosen.slopes, open_)),
        kept_multipliers(np.hstack(multipliers)),
    )
    if not chosen.weights:
        return kept
    return replace(
        kept,
        weights=kept_slopes(_of_open(chosen.weights, open_)),
        quarters=np.hstack([each[0].numpy() for each in chosen.levels]),
    )


def _of_open(values: Sequence[Tensor], open_: Sequence[Indices]) -> NDArray[np.floating]:
    """Numbers of open neurons (S, open), from those of all (1, S, width) by layer."""
    return np.hstack([each[0].numpy()[:, some] for each, some in zip(values, open_, strict=True)])


def _nothing() -> KeptForms:
    none = np.zeros((0, 0))
    return KeptForms(np.zeros(0, np.int32), none.astype(np.uint8), none.astype(np.uint16))
