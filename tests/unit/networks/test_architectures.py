"""Architectures have the released sizes, names and arithmetic."""

import pytest
import torch
from torch.nn import functional

from advmip.networks import ARCHITECTURES, new_network, staged


def randomised(name):
    """A network whose batch-norm statistics are not those of a fresh one."""
    network = new_network(ARCHITECTURES[name], seed=0).frozen()
    generator = torch.Generator().manual_seed(1)
    for tensor in network.body.state_dict().values():
        if tensor.is_floating_point() and tensor.ndim == 1:
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return network


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("cnn_light", 41_008), ("cnn", 162_710), ("resnet8", 175_258)],
)
def test_the_papers_networks_have_the_released_number_of_parameters(name, parameters):
    body = ARCHITECTURES[name].build()
    assert sum(parameter.numel() for parameter in body.parameters()) == parameters


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("cifar_4x100", 4 * 100),
        ("cifar_convsmall", 4_852),
        ("cifar_convmed", 7_144),
        ("mnist_3x50", 110 - 10),
        ("mnist_convsmall", 3_604),
        ("mnist_convmed", 5_704),
    ],
)
def test_neurons_are_those_that_ben_mhenni_counts(name, units):
    network = new_network(ARCHITECTURES[name], seed=0).frozen()
    assert staged(network).neurons == units


@pytest.mark.parametrize(("name", "units"), [("cifar_maxpool", 53_938), ("mnist_maxpool", 13_798)])
def test_with_pooling_ben_mhenni_counts_the_outputs_of_every_layer(name, units):
    architecture = ARCHITECTURES[name]
    values, counted = torch.rand(1, *architecture.input_shape), 0
    for layer in architecture.build().layers:
        values = layer(values)
        counted += values.numel() if hasattr(layer, "weight") or "Pool" in str(layer) else 0
    assert counted == units


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_images_give_ten_logits(architecture):
    network = new_network(architecture, seed=0).frozen()
    images = torch.rand(3, *architecture.input_shape)
    assert network(images).shape == (3, 10)
    assert not network(images).requires_grad


def test_each_small_network_stands_for_one_of_the_paper():
    assert {a.paper_name for a in ARCHITECTURES.values() if a.dataset in ("digits", "shapes")} <= {
        a.paper_name for a in ARCHITECTURES.values() if a.dataset in ("mnist", "cifar10")
    }


@pytest.mark.parametrize("name", ["cnn", "digits_cnn_light"])
def test_a_convolutional_network_is_the_formula_of_the_paper(name):
    network = randomised(name)
    w = network.body.state_dict()
    x = torch.rand(4, *network.architecture.input_shape)
    h = functional.conv2d(x, w["conv1.weight"], w["conv1.bias"], stride=2, padding=1).clamp(min=0)
    h = functional.conv2d(h, w["conv2.weight"], w["conv2.bias"], stride=2, padding=1).clamp(min=0)
    h = (h.reshape(4, -1) @ w["fc1.weight"].T + w["fc1.bias"]).clamp(min=0)
    torch.testing.assert_close(network(x), h @ w["output.weight"].T + w["output.bias"])


@pytest.mark.parametrize("name", ["resnet8", "shapes_resnet"])
def test_a_residual_network_is_the_formula_of_the_released_code(name):
    network = randomised(name)
    w = network.body.state_dict()

    def normalised(h, layer):
        mean, variance, scale, shift = (
            w[f"{layer}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (h - mean) / (variance + 1e-5).sqrt() * scale + shift

    def block(h, layer, stride):
        side = functional.conv2d(h, w[f"{layer}.conv1.weight"], stride=stride, padding=1)
        side = normalised(side, f"{layer}.bn1").clamp(min=0)
        side = normalised(
            functional.conv2d(side, w[f"{layer}.conv2.weight"], padding=1), f"{layer}.bn2"
        )
        if f"{layer}.downsample.0.weight" in w:
            h = functional.conv2d(h, w[f"{layer}.downsample.0.weight"], stride=stride)
            h = normalised(h, f"{layer}.downsample.1")
        return (side + h).clamp(min=0)

    x = torch.rand(2, *network.architecture.input_shape)
    mean = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
    std = torch.tensor([0.2023, 0.1994, 0.2010])[:, None, None]
    h = functional.conv2d((x - mean) / std, w["conv1.weight"], padding=1)
    h = normalised(h, "bn1").clamp(min=0)
    for stage, stride in (("layer1", 1), ("layer2", 2), ("layer3", 2)):
        h = block(h, f"{stage}.0", stride)
        if f"{stage}.1.conv1.weight" in w:
            h = block(h, f"{stage}.1", 1)
    expected = h.mean(dim=(2, 3)) @ w["output.weight"].T + w["output.bias"]
    torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4)


def test_wong_and_kolters_residual_network_is_their_formula():
    network = randomised("verified_resnet")
    assert staged(network).neurons == 107_496
    w = network.body.state_dict()

    def convolved(h, layer, stride, padding):
        return functional.conv2d(
            h, w[f"{layer}.weight"], w[f"{layer}.bias"], stride=stride, padding=padding
        )

    x = torch.rand(2, 3, 32, 32)
    h = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / 0.225
    h = convolved(h, "0", 1, 1).clamp(min=0)
    for layer, stride in ((2, 1), (3, 1), (4, 2), (5, 2)):
        side = convolved(h, f"{layer}.conv1", stride, 1).clamp(min=0)
        side = convolved(side, f"{layer}.conv2", 1, 1)
        h = (side + convolved(h, f"{layer}.shortcut", stride, 0)).clamp(min=0)
    h = (h.reshape(2, -1) @ w["7.weight"].T + w["7.bias"]).clamp(min=0)
    torch.testing.assert_close(network(x), h @ w["9.weight"].T + w["9.bias"], rtol=1e-4, atol=1e-3)
