"""A network's staged form is the same function as the network, for every layer it may have."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

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


class MatrixProduct(nn.Module):
    """A product with a matrix from the right, which is computed from a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.Parameter(torch.rand(2, 6))

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.row.T / self.row.sum())


class Moved(nn.Module):
    """Entries that are moved in one of many ways."""

    def __init__(self, move: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.move = move

    def forward(self, x: Tensor) -> Tensor:
        return self.move(x)


MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "permute and reshape": lambda x: x.permute(0, 2, 3, 1).reshape(-1, 7, 18),
    "view by size": lambda x: x.view(x.size(0), -1),
    "view by shape": lambda x: x.view(x.shape[0], x.shape[1] * 7, -1),
    "slices": lambda x: x[:, 1:, ::2, -3:],
    "a channel, in front of an axis": lambda x: x[:, 1].unsqueeze(1) + x[:, :, None, 2],
    "chosen rows": lambda x: x.index_select(2, torch.tensor([5, 0, 0])),
    "chunks, joined": lambda x: torch.cat(torch.chunk(x, 2, dim=2)[::-1], dim=2),
    "split and stacked": lambda x: torch.stack(x.split(2, dim=3), dim=1),
    "joined with a constant": lambda x: torch.cat((x, torch.ones((x.size(0), 1, 7, 6))), 1),
    "padded with a constant": lambda x: functional.pad(x, (1, 2, 0, 3), value=0.5),
    "cropped": lambda x: functional.pad(x, (-1, 2)),
    "reflected": lambda x: functional.pad(x, (1, 2, 3, 0), mode="reflect"),
    "repeated": lambda x: x[:, :1].expand(-1, 4, -1, -1).transpose(1, 3).flip(2).roll(1, 3),
    "enlarged": lambda x: functional.interpolate(x, scale_factor=2),
    "nothing moved": lambda x: x.contiguous().clone().squeeze(1),
    "maximum and minimum": lambda x: torch.maximum(x, x.flip(3)).minimum(torch.relu(x) + 0.25),
    "maximum of constants": lambda x: torch.maximum(x, torch.full((1, 3, 1, 1), 0.4)).clamp(
        max=0.6
    ),
    "clamped to a constant": lambda x: x.clamp(0.7, 0.2) + x.clamp(min=0.2, max=0.2),
    "largest and absolute": lambda x: (x.abs() - x.amax(dim=(2, 3), keepdim=True)).sum(dim=-1),
    "pixels shuffled": lambda x: torch.pixel_shuffle(torch.cat([x, x[:, :1]], 1), 2),
    "max pooling of what is padded with nothing": lambda x: functional.max_pool2d(
        functional.pad(x, (0, 1, 1, 0), value=-torch.inf), 2
    ),
}


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
    "a product with a matrix": MatrixProduct(),
    "residual sums": Residual(),
    "convolution, padded to the same size": nn.Conv2d(3, 3, (2, 3), padding="same"),
    "convolution, padded by reflection": nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"),
    "convolution in one dimension": nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 4, 5, stride=2)),
    "convolution in three dimensions": nn.Sequential(
        nn.Unflatten(1, (1, 3)), nn.Conv3d(1, 2, (2, 3, 2), padding=(1, 0, 1)), nn.MaxPool3d(2)
    ),
    "pooling in one dimension": nn.Sequential(
        nn.Flatten(2), nn.BatchNorm1d(3), nn.MaxPool1d(3), nn.AvgPool1d(2)
    ),
    "max pooling, rounded up": nn.MaxPool2d(2, stride=3, padding=1, ceil_mode=True),
    "average pooling, rounded up": nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
    "average pooling, rounded up, padding not counted": nn.AvgPool2d(
        3, stride=2, padding=1, ceil_mode=True, count_include_pad=False
    ),
    "average pooling, divided otherwise": nn.AvgPool2d(2, divisor_override=3),
    "adaptive average": nn.AdaptiveAvgPool2d((None, 2)),
    "padding with a constant": nn.ConstantPad2d((1, 0, 2, 3), -0.5),
    "padding by replication": nn.ReplicationPad2d(2),
    "leaky ReLU": nn.LeakyReLU(0.3),
    "PReLU": nn.PReLU(3, init=0.3),
    "ReLU6 and Hardtanh": nn.Sequential(nn.ReLU6(), nn.Hardtanh(0.1, 0.4)),
    "enlarging": nn.Upsample(scale_factor=2),
    "batch norm of two axes": nn.Sequential(nn.Flatten(), nn.BatchNorm1d(126)),
    **{name: Moved(move) for name, move in MOVES.items()},
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
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for each, low, high in (
                (module.running_mean, -2.0, 2.0),
                (module.running_var, 0.5, 2.0),
            ):
                if each is not None:
                    each.uniform_(low, high, generator=generator)
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
        (nn.LSTM(6, 2), "LSTM"),
        (nn.AdaptiveAvgPool2d(2), r"adaptive average pooling of \(7, 6\) to \(2, 2\)"),
        (nn.MaxPool2d(2, return_indices=True), "MaxPool2d"),
        (nn.Upsample(scale_factor=2, mode="bilinear"), "bilinear"),
        (nn.BatchNorm2d(3, track_running_stats=False), "running statistics"),
        (nn.Softmax(dim=1), "Softmax"),
    ],
)
def test_an_operation_without_an_exact_form_is_named(layer: nn.Module, named: str) -> None:
    with pytest.raises(InputError, match=named) as refusal:
        staged(own_network(nn.ReLU(), layer))
    assert refusal.value.subject == f"network, 1: {type(layer).__name__}"


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        (lambda x: x * x, "two activations"),
        (lambda x: 1.0 / x, "division by an activation"),
        (lambda x: x @ x.transpose(2, 3), "constant matrix"),
        (lambda x: x.mean(), "the batch"),
        (lambda x: x.sum(dim=(0, 1)), "the batch"),
        (lambda x: x.flatten(), "the batch"),
        (lambda x: x.flip(0), "mixed"),
        (lambda x: x + torch.arange(2.0).view(2, 1, 1, 1), "over the batch"),
        (lambda x: x + x.flatten(1), "behind the batch"),
        (lambda x: x + torch.inf, "infinite"),
        (lambda x: functional.pad(x, (2, 2), value=-torch.inf), "infinite"),
        (lambda x: functional.dropout(x), "dropout as in training"),
        (lambda x: x.is_cuda + x, "is_cuda"),
    ],
)
def test_what_is_not_affine_or_mixes_images_is_refused(
    operation: Callable[[Tensor], Tensor], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        staged(own_network(Moved(operation), nn.ReLU()))
