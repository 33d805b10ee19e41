"""Networks survive a file, and a damaged or foreign file is named with what is wrong in it."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from advmip.errors import InputError
from advmip.networks import ARCHITECTURES, load_network, new_network, save_network, staged


@pytest.fixture
def network():
    return new_network(ARCHITECTURES["digits_cnn_light"], seed=0).frozen()


@pytest.fixture
def arrays(network):
    return {name: tensor.numpy().copy() for name, tensor in network.body.state_dict().items()}


@pytest.fixture
def npz(tmp_path):
    def write(arrays):
        np.savez(tmp_path / "network.npz", **arrays)
        return tmp_path / "network.npz"

    return write


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_survives_both_kinds_of_file(name, tmp_path):
    network = new_network(ARCHITECTURES[name], seed=3).frozen()
    save_network(network, tmp_path / "network.safetensors", {})
    state = {key: tensor.numpy() for key, tensor in network.body.state_dict().items()}
    np.savez(tmp_path / "network.npz", **state)
    images = torch.rand(2, *ARCHITECTURES[name].input_shape)
    for file in ("network.safetensors", "network.npz"):
        loaded = load_network(tmp_path / file)
        assert loaded.architecture.name == name
        assert loaded.digest == network.digest
        assert not loaded.training
        assert not any(parameter.requires_grad for parameter in loaded.parameters())
        torch.testing.assert_close(loaded(images), network(images), rtol=0, atol=0)


def test_the_file_says_how_the_network_came_about(network, tmp_path):
    file = tmp_path / "network.safetensors"
    save_network(network, file, {"epochs": 10, "seed": 0})
    with safe_open(file, framework="pt") as contents:
        header = contents.metadata()
    assert header["architecture"] == "digits_cnn_light"
    assert header["digest"] == network.digest
    assert json.loads(header["metadata"]) == {"epochs": 10, "seed": 0}


def test_double_precision_weights_are_kept_and_computed_with(arrays, npz, network, tmp_path):
    third = {name: array.astype(">f8") / 3 for name, array in arrays.items()}
    double = load_network(npz(third))
    np.testing.assert_array_equal(double.body.fc1.weight.numpy(), third["fc1.weight"])
    assert double.mean.dtype == torch.float64
    assert double.digest != network.digest
    save_network(double, tmp_path / "double.safetensors", {})
    again = load_network(tmp_path / "double.safetensors")
    assert again.digest == double.digest
    image = np.random.default_rng(0).random(double.architecture.input_shape)
    logits = again(torch.from_numpy(image[None]))
    assert logits.dtype == torch.float64
    np.testing.assert_allclose(staged(again).logits(image.ravel()), logits[0].numpy(), rtol=1e-12)
    assert again.answer(image.astype(np.float32)) == int(logits.argmax())


def test_precisions_below_float32_are_read_as_float32(arrays, npz):
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    found = load_network(npz(halves)).body.fc1.weight
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), halves["fc1.weight"])


def test_the_layout_of_a_network_of_ours_may_be_said(arrays, npz):
    assert load_network(npz(arrays), layout="cwh").layout.words == "cwh:1x8x8"
    with pytest.raises(InputError, match="layout of network"):
        load_network(npz(arrays), layout="hwx")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_counted_by_layer(arrays, npz, value):
    arrays["fc1.weight"][0, :3] = value
    with pytest.raises(InputError) as caught:
        load_network(npz(arrays))
    assert "layer fc1.weight" in caught.value.subject
    assert caught.value.found.startswith("3 of ")


def test_a_negative_variance_is_refused(npz):
    network = new_network(ARCHITECTURES["shapes_resnet"], seed=0)
    arrays = {name: tensor.numpy() for name, tensor in network.body.state_dict().items()}
    arrays["bn1.running_var"][0] = -1.0
    with pytest.raises(InputError, match=r"bn1\.running_var"):
        load_network(npz(arrays))


def test_the_wrong_number_of_outputs_is_shown_beside_the_right_one(arrays, npz):
    arrays["output.weight"] = arrays["output.weight"][:7]
    arrays["output.bias"] = arrays["output.bias"][:7]
    with pytest.raises(InputError) as caught:
        load_network(npz(arrays))
    assert "output.weight" in caught.value.subject
    assert caught.value.found == "7 x 24"
    assert caught.value.expected.startswith("10 x 24")


def test_missing_and_unknown_layers_are_named(arrays, npz):
    bias = arrays.pop("conv2.bias")
    with pytest.raises(InputError) as caught:
        load_network(npz(arrays))
    assert "conv2.bias" in caught.value.subject
    assert caught.value.found == "nothing"
    with pytest.raises(InputError) as caught:
        load_network(npz({**arrays, "conv2.bias": bias, "conv3.bias": bias}))
    assert "conv3.bias" in caught.value.subject
    assert caught.value.expected.startswith("nothing")


def test_weights_of_no_known_network_are_refused(npz):
    with pytest.raises(InputError, match="cnn_light"):
        load_network(npz({"dense.kernel": np.zeros((4, 4))}))
    with pytest.raises(InputError, match="nothing"):
        load_network(npz({}))


@pytest.mark.parametrize("kind", ["complex", "text"])
def test_layers_that_are_no_numbers_are_refused(arrays, npz, kind):
    arrays["fc1.bias"] = arrays["fc1.bias"].astype(np.complex64 if kind == "complex" else str)
    with pytest.raises(InputError, match=r"fc1\.bias"):
        load_network(npz(arrays))


def test_an_archive_of_objects_is_not_unpickled(arrays, npz, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trapped"), "w"))

    arrays["fc1.bias"] = np.array([Trap()], dtype=object)
    with pytest.raises(InputError, match="plain arrays"):
        load_network(npz(arrays))
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_file_cut_off_anywhere_is_refused(arrays, network, npz, tmp_path, suffix):
    npz(arrays)
    save_network(network, tmp_path / "network.safetensors", {})
    file = tmp_path / f"network{suffix}"
    content = file.read_bytes()
    for end in [0, 1, *range(7, len(content), 997), len(content) - 1]:
        file.write_bytes(content[:end])
        with pytest.raises(InputError, match="truncated"):
            load_network(file)


def test_a_weight_altered_in_the_file_is_noticed(network, tmp_path):
    file = tmp_path / "network.safetensors"
    save_network(network, file, {})
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match="digest"):
        load_network(file)


def test_a_safetensors_file_of_others_is_refused(network, tmp_path):
    file = tmp_path / "network.safetensors"
    tensors = {"conv1.weight": torch.zeros(3)}
    save_file(tensors, file)
    with pytest.raises(InputError, match="header"):
        load_network(file)
    save_file(tensors, file, metadata={"architecture": "digit_cnn", "digest": ""})
    with pytest.raises(InputError, match="did you mean 'digits_cnn'"):
        load_network(file)


def test_a_missing_file_and_an_unknown_kind_are_answered(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_network(tmp_path / "network.npz")
    (tmp_path / "network.pth").write_bytes(b"")
    with pytest.raises(InputError, match=r"\.pth"):
        load_network(tmp_path / "network.pth")


def test_a_network_that_cannot_be_described_leaves_the_earlier_file(network, tmp_path):
    file = tmp_path / "network.safetensors"
    save_network(network, file, {})
    before = file.read_bytes()
    with pytest.raises(TypeError):
        save_network(network, file, {"array": np.zeros(3)})
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
