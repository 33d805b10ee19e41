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
    value, ours = loss.value_and_gradient(vector.double())
    assert value == pytest.approx(float(expected), rel=1e-5)
    torch.testing.assert_close(ours.float(), gradient, rtol=1e-3, atol=1e-6)
    assert loss.value(vector.double()) == (pytest.approx(float(expected), rel=1e-5), True)


def test_the_order_of_the_images_does_not_matter(instance):
    body, parameters, _, _, loss = instance
    vector = parameters.of(body).double()
    before = loss.value(vector)[0]
    assert loss.order_by_difficulty(vector) == pytest.approx(before, rel=1e-5)
    assert loss.value(vector)[0] == pytest.approx(before, rel=1e-5)


def test_a_ceiling_ends_the_sum_early_with_a_true_lower_bound(instance):
    body, parameters, _, _, loss = instance
    vector = parameters.of(body).double()
    value = loss.order_by_difficulty(vector)
    bound, complete = loss.value(vector, ceiling=0.5 * value)
    assert not complete
    assert 0.5 * value < bound < value
    assert loss.value(vector, ceiling=1.01 * value)[1]
