"""ONNX models that the tests of ONNX files share, and their comparison with onnxruntime."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from advmip import InputError, load_network
from advmip.networks import Network

Array = np.ndarray[Any, np.dtype[Any]]

IMAGE = (2, 7, 6)
LOGITS = ("batch", "classes")

random = np.random.default_rng(0)


def draw(*shape: int) -> Array:
    return random.normal(size=shape).astype(np.float32)


def node(kind: str, *inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, list(inputs), [output], name=f"the {kind}", **attributes)


def model(
    *nodes: onnx.NodeProto,
    weights: Mapping[str, Array] | None = None,
    image: tuple[int | str | None, ...] = ("batch", *IMAGE),
    kind: int = TensorProto.FLOAT,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model from "x" to the output of the last node."""
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("x", kind, image)],
        [helper.make_tensor_value_info(nodes[-1].output[0], kind, LOGITS)],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def flat_model(*nodes: onnx.NodeProto, **options: Any) -> onnx.ModelProto:
    """A model whose logits are all values of "y"."""
    return model(*nodes, node("Flatten", "y", output="logits"), **options)


def linear_model(weight: Array, bias: Array, **options: Any) -> onnx.ModelProto:
    return model(
        node("Flatten", "x", output="flat"),
        node("Gemm", "flat", "w", "b"),
        weights={"w": weight, "b": bias},
        **options,
    )


def load(proto: onnx.ModelProto, folder: Path, **options: Any) -> Network:
    onnx.save(proto, folder / "network.onnx", **options)
    return load_network(folder / "network.onnx")


def refusal(proto: onnx.ModelProto, folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(proto, folder)
    assert str(folder / "network.onnx") in caught.value.subject
    return caught.value


_TYPES = {
    f"tensor({name})": np.dtype(kind)
    for name, kind in (("float", np.float32), ("double", np.float64), ("float16", np.float16))
}


def largest_difference(network: Network, proto: onnx.ModelProto, images: Array) -> float:
    """Between the network on a batch and onnxruntime, image by image, on the same images.

    Relative to the largest output where that is above 1.
    """
    unnamed = copy.deepcopy(proto)
    for each in unnamed.graph.node:
        each.name = ""  # onnxruntime takes no two of the same name
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        unnamed.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (entry,) = session.get_inputs()
    dtype = _TYPES[entry.type]
    expected = [
        session.run(None, {entry.name: image.reshape(1, *entry.shape[1:]).astype(dtype)})[0].ravel()
        for image in images
    ]
    with torch.no_grad():
        found = network(torch.from_numpy(images)).numpy()
    assert found.dtype == (np.float64 if dtype == np.float64 else np.float32)
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def assert_same_function(network: Network, proto: onnx.ModelProto, tolerance: float) -> None:
    for count in (1, 3):
        images = draw(count, *network.architecture.input_shape)
        assert largest_difference(network, proto, images) < tolerance


NORMS = {name: draw(2) for name in ("scale", "shift", "mean")} | {
    "variance": random.uniform(0.5, 2.0, 2).astype(np.float32)
}
FLAT = node("Flatten", "x", output="flat")
RELU = node("Relu", "x", output="hidden")
CONV = {"w": draw(4, 2, 3, 2), "b": draw(4)}


def shape_of(*sizes: int) -> dict[str, Array]:
    return {"shape": np.array(sizes, dtype=np.int64)}


def residual_classifier() -> onnx.ModelProto:
    weights = {"w0": draw(4, 2, 3, 3) / 3, "w1": draw(4, 4, 3, 3) / 6}
    weights |= {"w2": draw(4, 5), "b2": draw(5)}
    pads: dict[str, Any] = {"pads": [1, 1, 1, 1]}
    return model(
        node("Conv", "x", "w0", output="a", **pads),
        node("Relu", "a", output="b"),
        node("Conv", "b", "w1", output="c", **pads),
        node("Add", "c", "b", output="d"),
        node("Relu", "d", output="e"),
        node("ReduceMean", "e", axes=[2, 3], keepdims=0, output="f"),
        node("Gemm", "f", "w2", "b2"),
        weights=weights,
    )
