"""Training learns, repeats itself, and says when it cannot work."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from advmip.datasets import load_dataset
from advmip.errors import InputError
from advmip.networks import ARCHITECTURES, new_network
from advmip.networks.training import cross_entropy, penalised, train

DIGITS = ARCHITECTURES["digits_cnn_light"]
SHAPES = ARCHITECTURES["shapes_resnet"]
ADAM = {"epochs": 6, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.01, "decay": 0.8}
SGD = {"epochs": 1, "batch_size": 64, "optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", "train")


@pytest.fixture(scope="module")
def shapes():
    return first(load_dataset("shapes", "train"), 320)


def first(dataset, count):
    return replace(dataset, images=dataset.images[:count], labels=dataset.labels[:count])


def accuracy(network, dataset):
    with torch.no_grad():
        predicted = network(torch.from_numpy(dataset.images)).argmax(dim=1).numpy()
    return 100 * (predicted == dataset.labels).mean()


def fit(architecture, dataset, settings, **more):
    return train(architecture, dataset, **{"progress": False, **settings, **more})


def test_digits_are_learnt_in_seconds(digits):
    network = fit(DIGITS, digits, ADAM)
    assert accuracy(network, load_dataset("digits", "test")) > 90
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_seed_decides_everything(digits, shapes):
    few = {**ADAM, "epochs": 1}
    assert fit(DIGITS, digits, few, seed=1).digest == fit(DIGITS, digits, few, seed=1).digest
    assert fit(DIGITS, digits, few, seed=1).digest != fit(DIGITS, digits, few, seed=2).digest
    augmented = fit(SHAPES, shapes, SGD, augmented=True)
    assert augmented.digest == fit(SHAPES, shapes, SGD, augmented=True).digest
    assert augmented.digest != fit(SHAPES, shapes, SGD).digest


def test_steps_of_sgd_are_gradient_descent_with_a_decaying_rate(digits):
    few = first(digits, 50)
    trained = fit(
        DIGITS,
        few,
        {"epochs": 3, "batch_size": 50, "optimizer": "sgd", "learning_rate": 0.5, "decay": 0.5},
    )
    ours = new_network(DIGITS, seed=0)
    for rate in (0.5, 0.25, 0.125):
        logits = ours(torch.from_numpy(few.images))
        loss = -logits.log_softmax(dim=1)[range(50), few.labels].mean()
        gradients = torch.autograd.grad(loss, list(ours.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(ours.parameters(), gradients, strict=True):
                parameter -= rate * gradient
    for theirs, expected in zip(trained.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(theirs, expected.detach(), rtol=1e-4, atol=1e-6)


def test_added_data_are_learnt_too_even_outside_the_pixel_range(digits):
    bright = np.full((200, 1, 8, 8), 1.5, np.float32)
    threes = np.full(200, 3)
    network = fit(DIGITS, digits, ADAM, extra=(bright, threes))
    assert int(network(torch.from_numpy(bright[:1])).argmax()) == 3
    assert accuracy(network, load_dataset("digits", "test")) > 85


def test_added_data_are_not_augmented(shapes):
    marked = np.random.default_rng(0).random((4, 3, 16, 16), dtype=np.float32)
    seen = []

    def watch(network, images, labels):
        seen.append(images.contiguous().numpy())
        return images

    fit(SHAPES, shapes, SGD, augmented=True, adversary=watch, extra=(marked, np.arange(4)))
    batches = np.concatenate(seen)
    assert len(batches) == len(shapes.labels) + 4
    for image in marked:
        assert (batches == image).all(axis=(1, 2, 3)).sum() == 1


def test_an_adversary_replaces_the_images(shapes):
    network = fit(SHAPES, shapes, SGD, adversary=lambda network, images, labels: 1 - images)
    negative = fit(SHAPES, replace(shapes, images=1 - shapes.images), SGD)
    assert network.digest == negative.digest


def test_what_an_adversary_tries_on_the_network_leaves_no_trace_in_it(shapes):
    def probe(network, images, labels):
        # Neither batch norm's statistics nor the gradients of the weights may remember this.
        network(torch.ones_like(images)).sum().backward()
        return images

    assert fit(SHAPES, shapes, SGD, adversary=probe).digest == fit(SHAPES, shapes, SGD).digest


def test_training_on_adversarial_images_defends_against_them(digits):
    def sign_step(network, images, labels):
        images = images.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        (gradient,) = torch.autograd.grad(loss, images)
        return images + 0.15 * gradient.sign()

    test = load_dataset("digits", "test")

    def robust_accuracy(network):
        images, labels = torch.from_numpy(test.images), torch.from_numpy(test.labels)
        attacked = sign_step(network, images, labels).detach()
        return 100 * float((network(attacked).argmax(dim=1) == labels).float().mean())

    plain, robust = fit(DIGITS, digits, ADAM), fit(DIGITS, digits, ADAM, adversary=sign_step)
    assert robust_accuracy(robust) > robust_accuracy(plain) + 10


def test_a_price_on_weights_makes_them_sparse(digits):
    def small_weights(weight_penalty):
        objective = penalised(cross_entropy, weight_penalty)
        network = fit(ARCHITECTURES["digits_verified_mlp"], digits, ADAM, objective=objective)
        matrices = [weights for weights in network.parameters() if weights.ndim > 1]
        return float(torch.cat([(m.abs() < 1e-3).float().ravel() for m in matrices]).mean())

    assert small_weights(0.0) < 0.1
    assert small_weights(3e-3) > 0.3


def test_a_loss_that_is_no_number_is_answered(digits):
    with pytest.raises(InputError) as caught:
        fit(DIGITS, digits, SGD, learning_rate=1e12)
    assert "epoch 1" in caught.value.found
    assert "learning rate" in caught.value.mend


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("batch_size", -1),
        ("learning_rate", 0.0),
        ("decay", float("nan")),
        ("momentum", 1.0),
        ("momentum", -0.1),
    ],
)
def test_settings_out_of_range_are_named(digits, setting, value):
    with pytest.raises(InputError, match=f"training: {setting}\n"):
        fit(DIGITS, digits, {**ADAM, setting: value})


def test_an_unknown_optimizer_is_answered_with_the_nearest(digits):
    with pytest.raises(InputError, match="did you mean 'adam'"):
        fit(DIGITS, digits, {**ADAM, "optimizer": "adamw"})


def test_images_of_another_shape_are_refused(digits, shapes):
    with pytest.raises(InputError, match="like those of digits"):
        fit(DIGITS, shapes, ADAM)


@pytest.mark.parametrize(
    ("images", "labels", "found"),
    [
        (np.zeros((2, 3, 16, 16)), np.zeros(2, int), "(2, 3, 16, 16)"),
        (np.zeros((2, 1, 8, 8)), np.zeros(3, int), "(2, 1, 8, 8)"),
        (np.full((2, 1, 8, 8), np.nan), np.zeros(2, int), "NaN"),
        (np.zeros((2, 1, 8, 8)), np.array([3, 10]), "labels from 3 to 10"),
        (np.zeros((2, 1, 8, 8)), np.array([-1, 3]), "labels from -1 to 3"),
    ],
)
def test_bad_added_data_are_refused(digits, images, labels, found):
    with pytest.raises(InputError) as caught:
        fit(DIGITS, digits, ADAM, extra=(images, labels))
    assert "added data" in caught.value.subject
    assert found in caught.value.found
