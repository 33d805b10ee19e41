"""A tree over signs that is written by hand: a part without a point is closed by its bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from advmip import Property, check_proof, from_torch, logit
from advmip.checking.proofs.files import ProofWriter
from advmip.checking.proofs.numbers import (
    kept_multipliers,
    kept_slopes,
    multipliers_of,
    slopes_of,
)
from advmip.checking.proofs.sign_nodes import KeptForms, SignNode, SignTreeWriter
from advmip.networks import Network


def opposed() -> Network:
    """relu(relu(x) + relu(1 - x) - 1), whose first two neurons are nowhere negative together."""
    body = nn.Sequential(
        nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1, bias=False)
    ).double()
    body.load_state_dict(
        {
            "0.weight": torch.tensor([[1.0], [-1.0]]),
            "0.bias": torch.tensor([0.0, 1.0]),
            "2.weight": torch.tensor([[1.0, 1.0]]),
            "2.bias": torch.tensor([-1.0]),
            "4.weight": torch.tensor([[1.0]]),
        }
    )
    return from_torch(body, (1,))


def forms(places: list[int], multipliers: np.ndarray) -> KeptForms:
    count = len(multipliers)
    return KeptForms(
        np.array(places, np.int32),
        kept_slopes(np.zeros((count, 0))),
        kept_multipliers(multipliers),
    )


def places(*neurons: int) -> np.ndarray:
    return np.array(neurons, np.int32)


def proof(file: Path, network: Network, multiplier: float) -> Path:
    """Splits by both neurons; where both are negative, a multiplier of each bounds the third."""
    nothing = forms([], np.zeros((0, 0)))
    first = forms([0], np.full((2, 2), multiplier))
    nodes = [
        SignNode((0, 0), [nothing, nothing], [places(0, 1), places(0)], nothing),
        SignNode((0, 1), [nothing], [places(0)], nothing),
        SignNode(None, [first], [places()], nothing),
        SignNode(None, [nothing], [places(0)], nothing),
        SignNode(None, [nothing], [places(0)], nothing),
    ]
    # Every point is a counterexample: no leaf that has one can be closed.
    asked = Property.of((np.array([-2.0]), np.array([2.0])), logit(0) >= -100.0)
    with ProofWriter() as writer:
        tree = SignTreeWriter(writer.region())
        for node in nodes:
            tree.node(node)
        tree.flush()
        writer.write(file, asked, network)
    return file


@pytest.mark.parametrize(("multiplier", "leaf"), [(0.0, 1), (1.0, 2)])
def test_a_part_without_a_point_is_closed_where_multipliers_show_it(
    tmp_path: Path, multiplier: float, leaf: int
) -> None:
    network = opposed()
    found = check_proof(proof(tmp_path / "proof.npz", network, multiplier), network)
    assert found.missing.startswith(f"leaf {leaf} leaves case 0 open (1.0 <= 0, ")


def test_numbers_come_back_as_they_were_kept() -> None:
    slopes = np.arange(129) / 128
    assert (slopes_of(kept_slopes(slopes)) == slopes).all()
    multipliers = torch.logspace(-30, 30, 200).bfloat16().float().numpy()
    assert (multipliers_of(kept_multipliers(multipliers)) == multipliers).all()
