"""A network normalises pixels, and its digest tells networks apart."""

import pytest
import torch

from advmip.networks import ARCHITECTURES, new_network


def test_the_seed_decides_the_weights_and_torchs_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = new_network(ARCHITECTURES["digits_cnn"], seed=1)
    torch.testing.assert_close(torch.rand(3), expected)
    assert first.digest == new_network(ARCHITECTURES["digits_cnn"], seed=1).digest
    assert first.digest != new_network(ARCHITECTURES["digits_cnn"], seed=2).digest


@pytest.mark.parametrize("name", ["conv1.weight", "bn1.bias", "layer3.0.bn2.running_var"])
def test_the_digest_sees_every_value_that_decides_an_output(name):
    network = new_network(ARCHITECTURES["shapes_resnet"], seed=0)
    before = network.digest
    network.body.state_dict()[name].view(-1)[0] += 1e-3
    assert network.digest != before


def test_the_digest_ignores_layout_and_the_count_of_batches():
    network = new_network(ARCHITECTURES["shapes_resnet"], seed=0)
    before = network.digest
    network.to(memory_format=torch.channels_last)
    network.body.bn1.num_batches_tracked += 7
    assert network.digest == before


def test_pixels_are_normalised_by_channel_and_not_at_all_on_grey_digits():
    network = new_network(ARCHITECTURES["shapes_resnet"], seed=0).frozen()
    grey = network.normalise(torch.full((1, 3, 16, 16), 0.5))
    expected = torch.tensor([(0.5 - 0.4914) / 0.2023, (0.5 - 0.4822) / 0.1994, 0.0535 / 0.2010])
    torch.testing.assert_close(grey[0, :, 0, 0], expected)
    images = torch.rand(2, 1, 8, 8)
    assert new_network(ARCHITECTURES["digits_cnn"], seed=0).normalise(images) is images


def test_a_frozen_network_is_in_evaluation_mode_without_gradients():
    network = new_network(ARCHITECTURES["shapes_resnet"], seed=0).frozen()
    assert not network.body.bn1.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
