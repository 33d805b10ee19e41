"""A network's staged form is the same function as the network, for every layer it may have."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from advmip import InputError
from advmip.networks import ARCHITECTURES, Architecture, Network, new_network
from advmip.networks.staging import staged

IMAGE = (3, 7, 6)
BATCH = 4


class Arithmetic(nn.Module):
    """Sums, differences, products and quotients with constants, on either side."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.rand(1, 3, 1, 1) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return (1.0 - x * self.factor) / 3.0 + 2.0 * (-x) - self.factor


class Residual(nn.Module):
    """A sum of a layer, of the layer before it and of the image itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.first(x))
        return torch.relu(self.second(hidden) + hidden + x).mean(dim=(-1, -2), keepdim=True) + x


class Reordered(nn.Module):
    """Axes in another order, then a reshaping."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).reshape(-1, 7, 18)


LAYERS = {
    "linear": nn.Linear(6, 5),
    "linear without bias": nn.Linear(6, 2, bias=False),
    "convolution": nn.Conv2d(3, 4, 3),
    "convolution, strided, padded, dilated": nn.Conv2d(
        3, 4, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(2, 1)
    ),
    "convolution in groups": nn.Conv2d(3, 6, 3, groups=3, bias=False),
    "batch norm": nn.BatchNorm2d(3),
    "batch norm without weights": nn.BatchNorm2d(3, affine=False),
    "ReLU": nn.ReLU(),
    "max pooling": nn.MaxPool2d(2),
    "max pooling, overlapping, padded": nn.MaxPool2d(3, stride=2, padding=1),
    "max pooling, dilated": nn.MaxPool2d(2, stride=1, dilation=(2, 3)),
    "average pooling": nn.AvgPool2d(3, stride=2, padding=1),
    "average pooling, padding not counted": nn.AvgPool2d(
        (3, 2), padding=1, count_include_pad=False
    ),
    "global average": nn.AdaptiveAvgPool2d(1),
    "zero padding": nn.ConstantPad2d((1, 0, 2, 3), 0.0),
    "identity and dropout": nn.Sequential(nn.Identity(), nn.Dropout(0.5)),
    "flatten": nn.Flatten(),
    "arithmetic": Arithmetic(),
    "residual sums": Residual(),
    "reordered axes": Reordered(),
}


def own_network(*layers: nn.Module, shape: tuple[int, int, int] = IMAGE) -> Network:
    """A network of a user's own, with batch norms as if it had been trained."""
    channels = shape[0]
    architecture = Architecture(
        name="own",
        paper_name="own",
        dataset="",
        input_shape=shape,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        augmented=False,
        build=lambda: nn.Sequential(*layers),
    )
    network = new_network(architecture, seed=3).frozen()
    generator = torch.Generator().manual_seed(4)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return network


def largest_difference(network: Network) -> float:
    images = torch.rand(BATCH, *network.architecture.input_shape, dtype=torch.float64)
    form = staged(network)
    with torch.no_grad():
        expected = network.double()(images).reshape(BATCH, -1).numpy()
    found = form.logits(images.reshape(BATCH, -1).numpy().T).T
    one = form.logits(images[0].numpy().ravel())
    np.testing.assert_allclose(one, found[0], atol=1e-12)
    return float(np.abs(found - expected).max())


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_stages_to_the_same_function(name: str) -> None:
    assert largest_difference(own_network(LAYERS[name])) < 1e-9


@pytest.mark.parametrize("name", ["digits_cnn_light", "digits_cnn", "shapes_resnet", "cnn_light"])
def test_the_papers_networks_stage_to_the_same_function(name: str) -> None:
    network = new_network(ARCHITECTURES[name], seed=1).frozen()
    assert largest_difference(network) < 1e-7


def test_what_is_affine_between_two_relus_is_one_matrix() -> None:
    layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AvgPool2d(2), nn.ReLU(), nn.Flatten())
    form = staged(own_network(*layers, nn.Linear(16, 10)))
    assert [stage.width for stage in form.hidden] == [16]
    assert form.hidden[0].terms.keys() == {0}
    assert form.output.terms.keys() == {1}
    assert (form.neurons, form.classes, form.pixels) == (16, 10, 126)


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (nn.Sigmoid(), "Sigmoid"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode"),
        (nn.Conv2d(3, 3, 3, padding="same"), "padding"),
        (nn.AdaptiveAvgPool2d(2), "adaptive average pooling"),
        (nn.Softmax(dim=1), "Softmax"),
    ],
)
def test_an_operation_without_an_exact_form_is_named(layer: nn.Module, named: str) -> None:
    with pytest.raises(InputError, match=named) as refusal:
        staged(own_network(nn.ReLU(), layer))
    assert "body_1" in str(refusal.value)


def test_a_product_of_activations_is_refused() -> None:
    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x

    with pytest.raises(InputError, match="two activations"):
        staged(own_network(Square()))
