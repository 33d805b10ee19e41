"""Each operator does what ONNX says it does, in the network and in the network's staged form."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from onnx_models import (
    CONV,
    FLAT,
    IMAGE,
    NORMS,
    RELU,
    assert_same_function,
    draw,
    flat_model,
    linear_model,
    load,
    model,
    node,
    residual_classifier,
    shape_of,
)

from advmip.networks.staging import staged

EVEN_CONV = {"w": draw(4, 2, 3, 3), "b": draw(4)}


OPERATORS: dict[str, onnx.ModelProto] = {
    "Gemm": model(
        FLAT, node("Gemm", "flat", "w", "b"), weights={"w": draw(84, 5), "b": draw(1, 5)}
    ),
    "Gemm, scaled and transposed": model(
        FLAT,
        node("Gemm", "flat", "w", "b", alpha=0.5, beta=-2.0, transB=1),
        weights={"w": draw(5, 84), "b": draw(1)},
    ),
    "Gemm without bias": model(FLAT, node("Gemm", "flat", "w"), weights={"w": draw(84, 5)}),
    "MatMul and Add": model(
        FLAT,
        node("MatMul", "flat", "w", output="product"),
        node("Add", "b", "product"),
        weights={"w": draw(84, 5), "b": draw(5)},
    ),
    "Conv": flat_model(node("Conv", "x", "w", "b"), weights=CONV),
    "Conv without bias, strided, padded, dilated": flat_model(
        node("Conv", "x", "w", strides=[2, 1], pads=[2, 1, 2, 1], dilations=[2, 3]),
        weights={"w": CONV["w"]},
    ),
    "Conv in groups": flat_model(
        node("Conv", "x", "w", group=2, kernel_shape=[3, 3]), weights={"w": draw(6, 1, 3, 3)}
    ),
    "Conv, padded unevenly": flat_model(
        node("Conv", "x", "w", "b", pads=[0, 1, 2, 3]), weights=CONV
    ),
    "Conv, VALID": flat_model(node("Conv", "x", "w", "b", auto_pad="VALID"), weights=CONV),
    "Conv, SAME_UPPER": flat_model(
        node("Conv", "x", "w", "b", auto_pad="SAME_UPPER", strides=[2, 2]), weights=EVEN_CONV
    ),
    "Conv, SAME_LOWER": flat_model(
        node("Conv", "x", "w", "b", auto_pad="SAME_LOWER", strides=[2, 3]), weights=EVEN_CONV
    ),
    "BatchNormalization": flat_model(
        node("BatchNormalization", "x", *NORMS, epsilon=0.01), weights=NORMS
    ),
    "BatchNormalization of two axes": model(
        node("BatchNormalization", "x", *NORMS), weights=NORMS, image=("batch", 2)
    ),
    "Relu": flat_model(node("Relu", "x")),
    "Add and Sub of values": flat_model(
        RELU, node("Add", "x", "hidden", output="sum"), node("Sub", "hidden", "sum")
    ),
    "Add of a value to its mean": flat_model(
        node("GlobalAveragePool", "x", output="mean"), node("Add", "mean", "x")
    ),
    "Sub of and from a constant": flat_model(
        node("Sub", "x", "c", output="less"),
        node("Sub", "d", "less"),
        weights={"c": draw(2, 1, 1), "d": np.full((1, 1, 1, 1), 0.5, dtype=np.float32)},
    ),
    "Mul and Div": flat_model(
        node("Mul", "c", "x", output="product"),
        node("Div", "product", "d"),
        weights={"c": draw(2, 1, 6), "d": np.array(0.25, dtype=np.float32)},
    ),
    "Flatten, counted from the back": model(node("Flatten", "x", axis=-3)),
    "Reshape": model(node("Reshape", "x", "shape"), weights=shape_of(-1, 84)),
    "Reshape that copies and infers": flat_model(
        node("Reshape", "x", "shape"), weights=shape_of(0, 0, 3, -1)
    ),
    "Reshape of a batch of 1": model(
        node("Reshape", "x", "shape"), weights=shape_of(1, -1), image=(1, *IMAGE)
    ),
    "Transpose": flat_model(node("Transpose", "x", perm=[0, 2, 3, 1])),
    "MaxPool": flat_model(node("MaxPool", "x", kernel_shape=[2, 3], strides=[2, 1])),
    "MaxPool, padded, dilated": flat_model(
        node("MaxPool", "x", kernel_shape=[3, 2], pads=[1, 1, 1, 1], dilations=[1, 2])
    ),
    "MaxPool of a Relu, padded unevenly": flat_model(
        RELU, node("MaxPool", "hidden", kernel_shape=[2, 3], pads=[0, 0, 1, 2], strides=[2, 2])
    ),
    "MaxPool of a Relu, SAME_UPPER": flat_model(
        RELU,
        node("MaxPool", "hidden", kernel_shape=[2, 2], auto_pad="SAME_UPPER", strides=[2, 2]),
    ),
    "AveragePool": flat_model(node("AveragePool", "x", kernel_shape=[2, 3], strides=[2, 1])),
    "AveragePool, padding left out": flat_model(
        node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 0, 1, 0])
    ),
    "AveragePool, padding counted": flat_model(
        node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 0, 1, 0], count_include_pad=1)
    ),
    "AveragePool, uneven padding counted": flat_model(
        node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 0, 2, 1], count_include_pad=1)
    ),
    "GlobalAveragePool": flat_model(node("GlobalAveragePool", "x")),
    "ReduceMean": model(node("ReduceMean", "x", axes=[-1, 2], keepdims=0)),
    "ReduceMean, axes as an input": flat_model(
        node("ReduceMean", "x", "shape"), weights=shape_of(2, 3), opset=18
    ),
    "Identity, Dropout and Cast": flat_model(
        node("Identity", "x", output="same"),
        node("Dropout", "same", output="kept"),
        node("Cast", "kept", to=TensorProto.FLOAT),
    ),
    "Squeeze and Unsqueeze": model(
        node("GlobalAveragePool", "x", output="mean"),
        node("Squeeze", "mean", "shape", output="flat"),
        node("Unsqueeze", "flat", "last", output="wide"),
        node("Squeeze", "wide", "last"),
        weights={**shape_of(2, -1), "last": np.array([-1])},
    ),
    "Squeeze and Unsqueeze, axes as attributes": flat_model(
        node("Unsqueeze", "x", axes=[1, 4], output="wide"),
        node("Squeeze", "wide", axes=[1, 4]),
        opset=11,
    ),
    "constants made in the graph": model(
        FLAT,
        node("Constant", value=numpy_helper.from_array(draw(5, 84)), output="w"),
        node("Transpose", "w", output="transposed"),
        node("Constant", value_float=0.5, output="half"),
        node("Mul", "transposed", "half", output="halved"),
        node("MatMul", "flat", "halved"),
    ),
    "an input of two axes": model(
        node("Gemm", "x", "w"), weights={"w": draw(9, 4)}, image=(None, 9)
    ),
    "a batch of 1 and an old opset": linear_model(draw(84, 3), draw(3), image=(1, *IMAGE), opset=7),
    "a node that nothing depends on": model(
        node("Softmax", "x", output="unused"), node("Flatten", "x")
    ),
    "many operators": residual_classifier(),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_does_what_the_reference_does(name: str, tmp_path: Path) -> None:
    network = load(OPERATORS[name], tmp_path)
    assert_same_function(network, OPERATORS[name], 1e-5)


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_stages_to_the_same_function(name: str, tmp_path: Path) -> None:
    network = load(OPERATORS[name], tmp_path)
    images = draw(3, *network.architecture.input_shape).astype(np.float64)
    found = staged(network).logits(images.reshape(len(images), -1).T).T
    with torch.no_grad():
        expected = network.double()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
