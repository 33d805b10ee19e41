"""What enters a network's ReLUs is what the staged form says."""

import numpy as np
import pytest
import torch
from torch import nn

from advmip.checking.relu_inputs import relu_inputs
from advmip.networks import ARCHITECTURES, Network, new_network, staged


def assert_the_same(network: Network) -> None:
    double = network.double().frozen()
    image = torch.rand(1, *network.architecture.input_shape, dtype=torch.float64)
    asked = relu_inputs(double, image)
    expected = staged(double).preactivations(image.numpy().ravel())
    assert len(asked) == len(expected)
    for values, others in zip(asked, expected, strict=True):
        np.testing.assert_allclose(values[0].numpy(), others, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["digits_dnn1", "digits_cnn", "shapes_resnet"])
def test_relus_of_every_family_are_seen(name: str) -> None:
    assert_the_same(new_network(ARCHITECTURES[name], 0))


def test_relus_are_seen_as_modules_methods_and_in_place() -> None:
    class Body(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(64, 5), nn.Linear(5, 10)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.second(self.relu(self.first(inputs.flatten(1)))).relu()

    assert_the_same(Network(ARCHITECTURES["digits_dnn1"], Body()))
