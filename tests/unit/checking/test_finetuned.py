"""A network that fails its check is saved, whatever it was read from."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

from advmip.checking.finetuned import check_finetuned
from advmip.datasets import load_dataset
from advmip.errors import CheckError, InputError
from advmip.gradient_attacks import AdversarialSet
from advmip.networks import Network, load_network


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A linear classifier of digits, read from ONNX."""
    weight = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "w"], ["y"]),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", 1, 8, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("batch", 10))],
        [numpy_helper.from_array(weight, "w")],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "a.onnx")
    return load_network(tmp_path / "a.onnx")


def test_the_weights_of_a_network_from_onnx_that_fails_are_saved(
    network: Network, tmp_path: Path
) -> None:
    train = load_dataset("digits", "train")
    adversarial = AdversarialSet(
        inputs=train.images[:3],
        labels=train.labels[:3],
        image_indices=np.arange(3),
        violations=np.zeros(3, dtype=np.float32),
    )
    with pytest.raises(CheckError, match="violation V") as caught:
        check_finetuned(
            network,
            claimed_violation=1e6,
            claimed_loss=0.0,
            adversarial=adversarial,
            train=train,
            seed=0,
            folder=tmp_path,
        )
    saved = caught.value.saved
    assert saved is not None
    with safe_open(saved, framework="pt") as contents:
        header = contents.metadata()
        for name, tensor in network.body.state_dict().items():
            assert torch.equal(contents.get_tensor(name), tensor)
    assert (header["architecture"], header["digest"]) == ("onnx", network.digest)
    assert json.loads(header["metadata"])["claimed"] == 1e6
    with pytest.raises(InputError, match="without its graph"):
        load_network(saved)
