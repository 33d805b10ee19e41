"""Networks read from ONNX are whole: architecture, weights and digest."""

import copy
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx_models import (
    FLAT,
    IMAGE,
    RELU,
    Array,
    assert_same_function,
    draw,
    flat_model,
    largest_difference,
    linear_model,
    load,
    model,
    node,
    random,
    residual_classifier,
)
from torch import Tensor, nn

from advmip import InputError, load_network, save_network
from advmip.networks import Network
from advmip.networks.staging import staged

LITERATURE = "ADVMIP_LITERATURE"
COMPETITION = "ADVMIP_COMPETITION"


def test_a_network_of_many_operators_is_frozen_and_carries_its_own_architecture(
    tmp_path: Path,
) -> None:
    proto = residual_classifier()
    state = torch.random.get_rng_state()
    network = load(proto, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert_same_function(network, proto, 1e-5)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    architecture = network.architecture
    assert (architecture.name, architecture.paper_name) == ("onnx", "network")
    assert (architecture.input_shape, architecture.mean) == (IMAGE, (0.0,))
    rebuilt = Network(architecture, architecture.build()).frozen()
    assert rebuilt.body is not network.body
    assert rebuilt.digest == network.digest


@pytest.mark.parametrize("shape", [(84,), (1,), (84, 1), (1, 84, 1), (7, 12), (3, 2, 7, 2)])
def test_an_image_has_the_shape_that_the_file_declares(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    proto = linear_model(draw(int(np.prod(shape)), 3), draw(3), image=("batch", *shape))
    network = load(proto, tmp_path)
    assert network.architecture.input_shape == shape == staged(network).input_shape
    assert_same_function(network, proto, 1e-5)
    assert network.layout.planes.shape == (1, 1, *shape)[-3:] or len(shape) == 4


@pytest.mark.parametrize(
    ("dtype", "kept", "tolerance"),
    [(np.float64, torch.float64, 1e-13), (np.float16, torch.float32, 0.05)],
)
def test_doubles_are_kept_and_halves_are_computed_in_float32(
    dtype: Any, kept: torch.dtype, tolerance: float, tmp_path: Path, caplog: Any
) -> None:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    weight, bias = random.normal(size=(84, 3)).astype(dtype), draw(3).astype(dtype)
    proto = linear_model(weight, bias, kind=kind)
    with caplog.at_level("INFO"):
        network = load(proto, tmp_path)
    assert {tensor.dtype for tensor in network.state_dict().values()} == {kept}
    assert_same_function(network, proto, tolerance)
    assert ("float16 are all computed in float32" in caplog.text) == (dtype == np.float16)


def test_mixed_precisions_are_computed_in_the_highest_and_said(tmp_path: Path, caplog: Any) -> None:
    proto = model(
        node("Flatten", "x", output="flat"),
        node("Cast", "flat", output="double", to=TensorProto.DOUBLE),
        node("Gemm", "double", "w", "b", output="sums"),
        node("Cast", "sums", output="y", to=TensorProto.FLOAT),
        weights={"w": random.normal(size=(84, 3)), "b": random.normal(size=3)},
    )
    with caplog.at_level("INFO"):
        network = load(proto, tmp_path)
    assert "float32 and float64 are all computed in float64" in caplog.text
    images = torch.rand(2, *IMAGE, dtype=torch.float64)
    assert network(images).dtype == torch.float64


def test_the_digest_sees_all_digits_of_doubles(tmp_path: Path) -> None:
    kind = TensorProto.DOUBLE
    weight = random.normal(size=(84, 3))
    digests = [
        digest(linear_model(each, np.zeros(3), kind=kind), tmp_path)
        for each in (weight, weight * (1 + 1e-12), weight.astype(np.float32).astype(float))
    ]
    assert len(set(digests)) == 3


def test_weights_in_a_file_beside_are_read(tmp_path: Path) -> None:
    proto = linear_model(draw(84, 3), draw(3))
    external: dict[str, Any] = {
        "save_as_external_data": True,
        "location": "weights.bin",
        "size_threshold": 0,
    }
    network = load(copy.deepcopy(proto), tmp_path, **external)
    assert_same_function(network, proto, 1e-5)
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(InputError, match="another file"):
        load_network(tmp_path / "network.onnx")
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(InputError, match=r"weights\.bin"):
        load_network(tmp_path / "network.onnx")


def digest(proto: onnx.ModelProto, folder: Path) -> str:
    network = load(proto, folder)
    assert copy.deepcopy(network).digest == network.digest == load(proto, folder).digest
    return network.digest


def test_the_digest_tells_networks_of_equal_weights_apart(tmp_path: Path) -> None:
    weights = {"w": np.ones((2, 2, 1, 1), dtype=np.float32)}
    sizes: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    protos = [
        flat_model(node("Conv", "x", "w"), weights=weights),
        flat_model(node("Conv", "x", "w", strides=[2, 2]), weights=weights),
        flat_model(node("Conv", "x", "w", output="a"), node("Relu", "a"), weights=weights),
        flat_model(node("Relu", "x", output="a"), node("Conv", "a", "w"), weights=weights),
        flat_model(node("AveragePool", "x", **sizes)),
        flat_model(node("AveragePool", "x", count_include_pad=1, **sizes)),
        flat_model(RELU, node("Sub", "x", "hidden")),
        flat_model(RELU, node("Sub", "hidden", "x")),
        flat_model(node("Transpose", "x", perm=[0, 2, 3, 1])),
        flat_model(node("Transpose", "x", perm=[0, 3, 2, 1])),
    ]
    assert len({digest(proto, tmp_path) for proto in protos}) == len(protos)


def test_the_digest_sees_a_constant(tmp_path: Path) -> None:
    protos = (
        flat_model(node("Add", "x", "c"), weights={"c": np.array([value], dtype=np.float32)})
        for value in (1, 2)
    )
    assert len({digest(proto, tmp_path) for proto in protos}) == 2


def test_a_network_from_onnx_is_not_written_as_safetensors(tmp_path: Path) -> None:
    network = load(linear_model(draw(84, 3), draw(3)), tmp_path)
    with pytest.raises(InputError, match="keep the ONNX file"):
        save_network(network, tmp_path / "network.safetensors", {})
    assert not (tmp_path / "network.safetensors").exists()


@pytest.mark.parametrize("opset", range(7, onnx.defs.onnx_opset_version() + 1))
def test_a_network_is_the_same_in_every_opset(opset: int, tmp_path: Path) -> None:
    proto = flat_model(
        node("Conv", "x", "w", output="a", pads=[1, 0, 0, 1]),
        node("LeakyRelu", "a", output="b"),
        node("MaxPool", "b", output="c", kernel_shape=[2, 2]),
        node("Sum", "c", "c", output="d"),
        node("Transpose", "d", perm=[0, 3, 1, 2]),
        weights={"w": draw(4, 2, 3, 2)},
        opset=opset,
    )
    proto.ir_version = max(4, helper.find_min_ir_version_for(proto.opset_import))
    assert_same_function(load(proto, tmp_path), proto, 1e-5)


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_a_last_softmax_or_sigmoid_is_left_out(
    kind: str, opset: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gemm = node("Gemm", "flat", "w", output="logits")
    weights = {"w": draw(84, 3)}
    with caplog.at_level("INFO"):
        network = load(
            model(FLAT, gemm, node(kind, "logits"), weights=weights, opset=opset), tmp_path
        )
    assert f"its last {kind} is left out" in caplog.text
    assert network.architecture.left_out == kind
    assert_same_function(network, model(FLAT, gemm, weights=weights, opset=opset), 1e-5)


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    proto = residual_classifier()
    file = tmp_path / "network.onnx.gz"
    file.write_bytes(gzip.compress(proto.SerializeToString()))
    network = load_network(file)
    assert network.architecture.paper_name == "network"
    assert_same_function(network, proto, 1e-5)
    for damaged in (file.read_bytes()[:-20], b"no gzip"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="truncated"):
            load_network(file)


class Exported(nn.Module):
    """A module whose export has shapes computed from the batch's size, and much else."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 4, 3, padding="same")
        self.norm = nn.BatchNorm2d(4)
        self.slope = nn.PReLU(4)
        self.token = nn.Parameter(torch.rand(1, 1, 7, 6))
        self.last = nn.Linear(5 * 3 * 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.slope(self.norm(self.convolution(x)))
        hidden = torch.cat([hidden, self.token.expand(x.size(0), -1, -1, -1)], dim=1)
        hidden = nn.functional.relu6(nn.functional.max_pool2d(hidden, 2, stride=2))
        hidden = hidden + hidden.mean(dim=(2, 3), keepdim=True).clamp(min=0.1)
        logits: Tensor = self.last(hidden.view(x.size(0), -1))
        return logits


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_what_torch_exports_is_read(dynamo: bool, tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    module = Exported().eval()
    free: dict[str, Any] = (
        {"dynamic_shapes": {"x": {0: torch.export.Dim("batch")}}}
        if dynamo
        else {"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}
    )
    torch.onnx.export(module, (torch.rand(2, *IMAGE),), str(file), dynamo=dynamo, **free)
    network = load_network(file)
    images = torch.rand(5, *IMAGE)
    with torch.no_grad():
        torch.testing.assert_close(network(images), module(images))
        double = module.double()(images.double()).numpy()
    found = staged(network).logits(images.double().flatten(1).numpy().T).T
    np.testing.assert_allclose(found, double, atol=1e-5)


def networks_in(variable: str, pattern: str) -> list[Path]:
    """The networks in a folder that the environment names."""
    folder = os.environ.get(variable)
    return sorted(Path(folder).glob(pattern)) if folder else []


def literature() -> list[Path]:
    return networks_in(LITERATURE, "*.onnx")


def pixels(network: Network) -> Array:
    shape = (2, *network.architecture.input_shape)
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


of_the_literature = pytest.mark.skipif(
    not literature(), reason=f"{LITERATURE} names no folder of .onnx files"
)


@of_the_literature
@pytest.mark.parametrize("file", literature(), ids=lambda file: file.stem)
def test_a_network_of_the_literature_does_what_the_reference_does(file: Path) -> None:
    network = load_network(file)
    assert network.architecture.paper_name == file.stem
    images = pixels(network)
    assert largest_difference(network, onnx.load(file), images) < 1e-4


@of_the_literature
@pytest.mark.parametrize("file", literature(), ids=lambda file: file.stem)
def test_a_network_of_the_literature_stages_to_the_same_function(file: Path) -> None:
    network = load_network(file)
    images = pixels(network)
    found = staged(network).logits(images.reshape(len(images), -1).T.astype(np.float64)).T
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.skipif(
    not networks_in(COMPETITION, "*/*/*.onnx.gz"),
    reason=f"{COMPETITION} names no folder of benchmarks with gzipped networks",
)
@pytest.mark.parametrize(
    "file", networks_in(COMPETITION, "*/*/*.onnx.gz"), ids=lambda file: file.name
)
def test_a_network_of_the_competition_does_what_onnxruntime_does(file: Path) -> None:
    network = load_network(file)
    proto = onnx.load_model_from_string(gzip.decompress(file.read_bytes()))
    assert largest_difference(network, proto, pixels(network)) < 1e-5
