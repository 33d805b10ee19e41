"""Training on a bound of the worst loss: above every attack's, and it makes proofs succeed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_networks import convolutional, network_of
from torch import nn
from torch.nn import functional

from advmip import Dataset, load_dataset, verify
from advmip.experiments.data import first_images
from advmip.gradient_attacks import AttackSettings, pgd
from advmip.mip.certified_training import CertifiedLoss, certified_margins
from advmip.networks import ARCHITECTURES, Architecture, Network
from advmip.networks.architectures.residual import ShortcutBlock
from advmip.networks.training import Objective, cross_entropy, train

EPSILON = 0.1


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return first_images(load_dataset("digits", "train"), 400)


@pytest.mark.parametrize("forms", [True, False])
def test_the_loss_is_above_that_of_any_attack(forms: bool) -> None:
    network = convolutional().float()
    shape = network.architecture.input_shape
    images = torch.rand(6, *shape, generator=torch.Generator().manual_seed(0))
    labels = network(images).argmax(dim=1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        attacked = pgd(network, images, AttackSettings(EPSILON, EPSILON / 4, 20), clip=True)
    clean, worst = (functional.cross_entropy(network(each), labels) for each in (images, attacked))
    bound = CertifiedLoss(EPSILON, forms=forms)(network, images, labels, 0.0)
    assert clean < worst <= bound


def test_forms_bound_hidden_neurons_tighter_than_intervals() -> None:
    network = convolutional().float()
    images = torch.full((1, *network.architecture.input_shape), 0.5)
    labels = network(images).argmax(dim=1)
    tight, loose = (
        certified_margins(network, images, labels, EPSILON, forms=forms) for forms in (True, False)
    )
    others = torch.arange(tight.shape[1]) != labels
    assert (tight >= loose - 1e-6).all()
    assert tight[0, others].sum() > loose[0, others].sum()


def test_a_radius_of_nothing_leaves_the_margins_themselves() -> None:
    network = network_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), (1, 2, 2))
    images, labels = torch.rand(5, 1, 2, 2), torch.tensor([0, 1, 2, 0, 1])
    logits = network(images)
    margins = logits.gather(1, labels[:, None]) - logits
    torch.testing.assert_close(certified_margins(network, images, labels, 0.0), margins)


def test_the_radius_grows_epoch_by_epoch() -> None:
    loss = CertifiedLoss(0.2, 4)
    assert [loss.radius(epochs) for epochs in (0.0, 1.0, 4.0, 9.0)] == [0.0, 0.05, 0.2, 0.2]
    assert CertifiedLoss(0.2).radius(0.0) == 0.2


def residual() -> nn.Module:
    """A convolution, a residual block, and two linear layers, for digits."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 4, stride=2, padding=1),
        nn.ReLU(),
        ShortcutBlock(4, 8, stride=1),
        nn.Flatten(),
        nn.Linear(128, 16),
        nn.ReLU(),
        nn.Linear(16, 10),
    )


SEQUENTIAL = ARCHITECTURES["digits_verified_cnn"]
RESIDUAL = dataclasses.replace(SEQUENTIAL, name="residual", build=residual)


@pytest.mark.parametrize("architecture", [SEQUENTIAL, RESIDUAL], ids=lambda each: each.name)
def test_training_on_the_bound_makes_proofs_succeed(
    architecture: Architecture, digits: Dataset
) -> None:
    def trained(objective: Objective) -> Network:
        return train(
            architecture,
            digits,
            epochs=8,
            batch_size=50,
            optimizer="adam",
            learning_rate=0.02,
            objective=objective,
            progress=False,
        )

    plain, robust = trained(cross_entropy), trained(CertifiedLoss(EPSILON, 4, forms=False))
    images, labels = torch.from_numpy(digits.images), torch.from_numpy(digits.labels)

    others = np.arange(10) != digits.labels[:, None]

    @torch.no_grad()
    def proved(network: Network) -> NDArray[np.bool_]:
        margins = certified_margins(network, images, labels, EPSILON).numpy()
        return np.asarray((margins > 1e-3).all(axis=1, where=others))

    assert proved(robust).sum() > 2 * proved(plain).sum()
    for place in np.flatnonzero(proved(robust)[:20]):
        verdict = verify(robust, digits.images[place], int(digits.labels[place]), EPSILON)
        assert verdict.status == "robust"
