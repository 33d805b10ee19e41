"""The training loss against plain PyTorch, and its early end."""

import pytest
import torch
from torch.nn import functional

from advmip.datasets import load_dataset
from advmip.finetuning.parameters import ParameterVector
from advmip.finetuning.training_loss import TrainingLoss
from advmip.networks import ARCHITECTURES, new_network


@pytest.fixture(params=["digits_cnn_light", "shapes_resnet"])
def instance(request):
    network = new_network(ARCHITECTURES[request.param], seed=2).frozen()
    train = load_dataset(network.architecture.dataset, "train")
    images, labels = torch.from_numpy(train.images[:730]), torch.from_numpy(train.labels[:730])
    parameters = ParameterVector(network.body)
    inputs = network.normalise(images)
    loss = TrainingLoss(network.body, parameters, inputs, labels)
    return network.body, parameters, inputs, labels, loss


def test_value_and_gradient_are_those_of_one_large_batch(instance):
    body, parameters, inputs, labels, loss = instance
    vector = parameters.of(body)
    leaf = vector.clone().requires_grad_()
    expected = functional.cross_entropy(parameters.call(body, leaf, inputs), labels)
    (gradient,) = torch.autograd.grad(expected, leaf)
    losses, ours = loss.of_images_and_gradient(vector.double())
    assert float(losses.mean()) == pytest.approx(float(expected), rel=1e-5)
    torch.testing.assert_close(ours.float(), gradient, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(loss.of_images(vector.double()), losses, rtol=1e-4, atol=1e-6)
    assert loss.value(vector.double()) == (pytest.approx(float(expected), rel=1e-5), True)


def test_the_order_of_the_images_does_not_matter(instance):
    body, parameters, _, _, loss = instance
    vector = parameters.of(body).double()
    expected = loss.value(vector)[0]
    ordered = loss.value(vector, difficulty=loss.of_images(vector))[0]
    assert ordered == pytest.approx(expected, rel=1e-5)


def test_a_ceiling_ends_the_sum_early_with_a_true_lower_bound(instance):
    body, parameters, _, _, loss = instance
    vector = parameters.of(body).double()
    difficulty = loss.of_images(vector)
    value = float(difficulty.mean())
    bound, complete = loss.value(vector, 0.5 * value, difficulty)
    assert not complete
    assert 0.5 * value < bound < value
    assert loss.value(vector, 1.01 * value, difficulty)[1]
