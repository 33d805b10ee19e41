"""What networks are trained against is what their settings name."""

from pathlib import Path

import numpy as np
import pytest
import torch

from advmip.datasets import load_dataset
from advmip.experiments.defences import training_against
from advmip.experiments.networks import train_network
from advmip.mip.certified_training import certified_margins
from advmip.networks import load_network
from advmip.settings import load_settings

EPSILON = 0.1
WORKFLOW = Path(__file__).parents[3] / "workflow"


def defence(method, **more):
    return {
        "method": method,
        "epsilon": EPSILON,
        "ramp": 0,
        "hidden": "intervals",
        "iterations": 3,
        "weight_penalty": 0.0,
        **more,
    }


@pytest.fixture(scope="module")
def batch():
    images = load_dataset("digits", "train")
    return torch.from_numpy(images.images[:50]), torch.from_numpy(images.labels[:50])


def test_no_defence_is_plain_training():
    assert training_against(defence("none")) == training_against(None)


def test_pgd_moves_images_within_the_radius_and_the_loss_rises(digits_network, batch):
    network, (images, labels) = load_network(digits_network), batch
    against = training_against(defence("pgd"))
    moved = against["adversary"](network, images, labels)
    assert 0 < float((moved - images).abs().max()) <= EPSILON + 1e-6
    objective = against["objective"]
    assert objective(network, moved, labels, 0.0) > objective(network, images, labels, 0.0)


def test_bounds_exceed_the_loss_and_weights_have_their_price(digits_network, batch):
    network = load_network(digits_network)
    plain, bound, priced = (
        training_against(each)["objective"](network, *batch, 0.0)
        for each in (
            defence("none"),
            defence("linear-bounds"),
            defence("linear-bounds", weight_penalty=0.01),
        )
    )
    assert plain < bound < priced


def test_an_attacked_network_may_be_trained_so_that_attacks_are_proved_far(tmp_path):
    def trained(**chosen):
        file = tmp_path / "network.safetensors"
        network = {"training": {"epochs": 6, "learning_rate": 0.01}, **chosen}
        settings = load_settings({"benmhenni": {"networks": {"MNIST-3x50": network}}}, WORKFLOW)
        train_network(settings, "MNIST-3x50", file)
        return load_network(file)

    images = load_dataset("digits", "test")
    others = np.arange(10) != images.labels[:, None]

    def proved(network):
        margins = certified_margins(
            network, torch.from_numpy(images.images), torch.from_numpy(images.labels), EPSILON
        ).numpy()
        return (margins > 0).all(axis=1, where=others).mean()

    plain, robust = trained(), trained(defence=defence("linear-bounds", ramp=3))
    assert proved(robust) > 2 * proved(plain)
