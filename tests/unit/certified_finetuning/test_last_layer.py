"""The last layer alone, repaired by a linear program: held against another solver's program."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn

from advmip import InputError, from_torch
from advmip.certified_finetuning.last_layer import repair_last_layer
from advmip.margins import factor_of_points

NORMS = ("l1", "linf")


@pytest.fixture
def wrong(plane):
    """The network, and images with the classes that it does not give them."""
    network, _, images = plane
    return network, [(image, (label + 1) % 3) for image, label in images[:3]]


def parts_of(network):
    """What enters the last layer, as a function, and its weights and biases."""
    layers = list(copy.deepcopy(network.body).double().children())
    last = layers[-1]
    return nn.Sequential(*layers[:-1]), last.weight.detach(), last.bias.detach()


def change_of(before, after):
    """The change of the last layer's weights, a bias in the last column."""
    _, weights, biases = parts_of(before)
    _, others, constants = parts_of(after)
    return torch.cat([others - weights, (constants - biases)[:, None]], 1).numpy()


def least_norm(network, images, norm):
    """The least norm by scipy, from a program that is written down entry by entry."""
    features, weights, biases = parts_of(network)
    points = torch.from_numpy(np.stack([image for image, _ in images])).double()
    inner = features(points).detach()
    logits = inner @ weights.T + biases
    margin = 0.1 / factor_of_points(logits, torch.tensor([label for _, label in images]))
    classes, width = weights.shape[0], weights.shape[1] + 1
    rows, sides = [], []
    for place, (_, label) in enumerate(images):
        for other in set(range(classes)) - {label}:
            row = np.zeros((classes, width))
            row[label], row[other] = np.append(inner[place], 1), -np.append(inner[place], 1)
            rows.append(row.ravel())
            sides.append(margin - float(logits[place, label] - logits[place, other]))
    rows, count = np.array(rows), classes * width
    if norm == "l1":
        both = np.hstack([rows, -rows])
        return linprog(np.ones(2 * count), A_ub=-both, b_ub=-np.array(sides)).fun
    bounds = [(None, None)] * count + [(0, None)]
    ones, unit = np.ones((count, 1)), np.eye(count)
    limits = np.vstack([np.hstack([unit, -ones]), np.hstack([-unit, -ones])])
    everything = np.vstack([np.hstack([-rows, np.zeros((len(rows), 1))]), limits])
    right = np.append(-np.array(sides), np.zeros(2 * count))
    return linprog(np.append(np.zeros(count), 1.0), A_ub=everything, b_ub=right, bounds=bounds).fun


@pytest.mark.parametrize("norm", NORMS)
def test_images_come_right_by_the_least_change_of_the_last_layer(wrong, norm):
    network, images = wrong
    digest = network.digest
    repaired, status = repair_last_layer(network, images, norm=norm)
    assert network.digest == digest, "its weights are its own"
    assert status == "optimal"
    assert [repaired.answer(image) for image, _ in images] == [label for _, label in images]
    change = change_of(network, repaired)
    found = np.abs(change).sum() if norm == "l1" else np.abs(change).max()
    assert found == pytest.approx(least_norm(network, images, norm), rel=1e-5)
    for before, after in zip(
        list(network.body.parameters())[:-2], list(repaired.body.parameters())[:-2], strict=True
    ):
        assert torch.equal(before, after), "nothing else has moved"


def test_l1_moves_fewer_weights_and_linf_none_far(wrong):
    network, images = wrong
    moved = {norm: change_of(network, repair_last_layer(network, images, norm=norm).network)
             for norm in NORMS}  # fmt: skip
    assert np.count_nonzero(moved["l1"]) < np.count_nonzero(moved["linf"])
    assert np.abs(moved["linf"]).max() < np.abs(moved["l1"]).max()


def test_one_image_cannot_have_two_classes(plane):
    network, _, images = plane
    image, label = images[0]
    both = [(image, label), (image, (label + 1) % 3)]
    repaired, status = repair_last_layer(network, both)
    assert status == "infeasible"
    assert repaired.digest == network.digest


@pytest.mark.parametrize(
    "last", [[nn.Linear(4, 3), nn.ReLU()], [nn.Linear(4, 3, bias=False)], [nn.ReLU()]]
)
def test_a_network_that_ends_otherwise_is_refused(last):
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 4), nn.ReLU(), *last)
    network = from_torch(module, input_shape=(1, 1, 2))
    for layer in network.body.modules():
        if isinstance(layer, nn.Linear):  # All values are above 0, where a ReLU changes none.
            for values in layer.parameters():
                values.abs_()
    image = np.full((1, 1, 2), 0.5, np.float32)
    with pytest.raises(InputError, match="no linear layer's outputs"):
        repair_last_layer(network, [(image, 1)])
