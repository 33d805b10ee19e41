"""Each operator does what ONNX says it does, in the network and in the network's staged form."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
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


def split(*names: str, sizes: str = "", **attributes: Any) -> onnx.NodeProto:
    """A Split of the first name into the others."""
    inputs = [names[0], sizes] if sizes else [names[0]]
    return helper.make_node("Split", inputs, list(names[1:]), name="the Split", **attributes)


# x.size(0), as torch writes it.
BATCH_SIZE = (
    node("Shape", "x", output="sizes"),
    node("Gather", "sizes", "first", axis=0, output="batch"),
    node("Unsqueeze", "batch", "none", output="batch_size"),
)

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
    "Neg, Abs and Sum": flat_model(
        node("Neg", "x", output="negative"),
        node("Abs", "negative", output="absolute"),
        node("Sum", "c", "negative", "absolute", "d", "x"),
        weights={"c": draw(6), "d": draw(1, 2, 1, 1)},
    ),
    "Max and Min with constants": flat_model(
        node("Max", "x", "low", output="above"),
        node("Min", "high", "above"),
        weights={"low": draw(2, 1, 1) - 1, "high": draw(1, 2, 7, 1) + 1},
    ),
    "Max and Min of values": flat_model(
        node("Neg", "x", output="negative"),
        node("Max", "x", "negative", "low", output="above"),
        node("Min", "above", "x"),
        weights={"low": draw(1)},
    ),
    "Clip": flat_model(
        node("Clip", "x", "low", "high"),
        weights={"low": np.float32(-0.5), "high": np.float32(0.7)},
    ),
    "Clip below": flat_model(
        node("Clip", "x", "low"), weights={"low": np.array(-0.5, dtype=np.float32)}
    ),
    "Clip above": flat_model(
        node("Clip", "x", "", "high"), weights={"high": np.array(0.5, dtype=np.float32)}
    ),
    "Clip nowhere": flat_model(node("Clip", "x")),
    "Clip, bounds as attributes": flat_model(node("Clip", "x", min=0.0, max=6.0), opset=10),
    "Clip, one bound as attribute": flat_model(node("Clip", "x", max=0.25), opset=7),
    "LeakyRelu": flat_model(node("LeakyRelu", "x", alpha=0.3)),
    "LeakyRelu, slope left out": flat_model(node("LeakyRelu", "x")),
    "PRelu": flat_model(node("PRelu", "x", "s"), weights={"s": draw(2, 1, 1)}),
    "PRelu with one slope": flat_model(node("PRelu", "x", "s"), weights={"s": draw(1)}),
    "PRelu of two axes": model(node("PRelu", "x", "s"), weights={"s": draw(9)}, image=("batch", 9)),
    "Concat": flat_model(
        node("Neg", "x", output="negative"),
        node("Concat", "negative", "c", "x", axis=-3),
        weights={"c": draw(1, 3, 7, 6)},
    ),
    "Concat along a row": model(
        FLAT, node("Relu", "flat", output="hidden"), node("Concat", "flat", "hidden", axis=1)
    ),
    "Pad": flat_model(node("Pad", "x", "shape"), weights=shape_of(0, 1, 2, 0, 0, 0, 1, 3)),
    "Pad with a constant, cropping": flat_model(
        node("Pad", "x", "shape", "c"),
        weights={**shape_of(0, 0, -1, 2, 0, 0, 1, -2), "c": np.array(0.5, dtype=np.float32)},
    ),
    "Pad of some axes": flat_model(
        node("Pad", "x", "shape", "", "axes", mode="edge"),
        weights={**shape_of(2, 1, 0, 3), "axes": np.array([-1, 2])},
        opset=18,
    ),
    "Pad by reflection": flat_model(
        node("Pad", "x", "shape", mode="reflect"), weights=shape_of(0, 0, 2, 3, 0, 0, 1, 4)
    ),
    "Pad around": flat_model(
        node("Pad", "x", "shape", mode="wrap"),
        weights=shape_of(0, 0, 2, 3, 0, 0, 1, 4),
        opset=19,
    ),
    "Pad, pads as an attribute": flat_model(
        node("Pad", "x", pads=[0, 0, 1, 1, 0, 0, 2, 0], value=-1.5), opset=10
    ),
    "Slice": flat_model(
        node("Slice", "x", "starts", "ends", "axes", "steps"),
        weights={
            "starts": np.array([1, -1]),
            "ends": np.array([2**62, -(2**62)]),
            "axes": np.array([2, -1]),
            "steps": np.array([2, -2]),
        },
    ),
    "Slice of all axes": flat_model(
        node("Slice", "x", "starts", "ends"),
        weights={"starts": np.array([0, 1, 0, 2]), "ends": np.array([2**31, 2, 5, -1])},
    ),
    "Slice, bounds as attributes": flat_model(
        node("Slice", "x", starts=[1], ends=[5], axes=[3]), opset=9
    ),
    "Split evenly": flat_model(
        split("x", "a", "b", axis=-1), node("Sub", "b", "a", output="y"), opset=11
    ),
    "Split into sizes": flat_model(
        split("x", "a", "b", "c", axis=2, sizes="shape"),
        node("Concat", "c", "a", axis=2),
        weights=shape_of(2, 4, 1),
    ),
    "Split into sizes as attribute": flat_model(
        split("x", "a", "y", axis=2, split=[3, 4]), opset=12
    ),
    "Split into a number of parts": flat_model(
        split("x", "a", "y", axis=2, num_outputs=2), opset=18
    ),
    "Gather": flat_model(
        node("Gather", "x", "c", axis=2), weights={"c": np.array([[0, -1, 3], [5, 5, 1]])}
    ),
    "Gather of one": flat_model(node("Gather", "x", "c", axis=-1), weights={"c": np.array(-2)}),
    "Expand": flat_model(
        node("Unsqueeze", "x", "last", output="wide"),
        node("Expand", "wide", "shape"),
        weights={**shape_of(7, 6, 3), "last": np.array([4])},
    ),
    "ConstantOfShape and Expand of constants": flat_model(
        node(
            "ConstantOfShape",
            "shape",
            value=numpy_helper.from_array(np.array([0.5], dtype=np.float32)),
            output="halves",
        ),
        node("Expand", "c", "shape", output="wide"),
        node("Add", "halves", "wide", output="sum"),
        node("Mul", "x", "sum"),
        weights={**shape_of(2, 7, 6), "c": draw(6)},
    ),
    "a view by the batch's size": model(
        *BATCH_SIZE,
        node("Concat", "batch_size", "rest", axis=0, output="shape"),
        node("Reshape", "x", "shape"),
        weights={"none": np.array([0]), "first": np.array(0), "rest": np.array([-1])},
    ),
    "a view by the whole shape": flat_model(
        node("Shape", "x", output="sizes"),
        split("sizes", "front", "behind", axis=0, sizes="parts"),
        node("ReduceProd", "behind", keepdims=1, output="pixels"),
        node("Concat", "front", "pixels", axis=0, output="shape"),
        node("Reshape", "x", "shape"),
        weights={"parts": np.array([1, 3])},
    ),
    "a view by the number of channels": model(
        node("Shape", "x", start=1, end=2, output="channels"),
        node("Concat", "rest", "channels", "rest", axis=0, output="shape"),
        node("Slice", "shape", "one", "three", output="sizes"),
        node("Concat", "zero", "sizes", axis=0, output="whole"),
        node("Reshape", "x", "whole", output="planes"),
        node("Flatten", "planes"),
        weights={
            "rest": np.array([-1]),
            "one": np.array([1]),
            "three": np.array([3]),
            "zero": np.array([0]),
        },
    ),
    "constants for each image of a batch": flat_model(
        *BATCH_SIZE,
        node("Concat", "batch_size", "rest", axis=0, output="shape"),
        node("ConstantOfShape", "shape", output="zeros"),
        node("Add", "zeros", "one", output="ones"),
        node("Concat", "ones", "x", axis=1),
        weights={
            "none": np.array([0]),
            "first": np.array(0),
            "rest": np.array([1, 7, 6]),
            "one": np.array(1.0, dtype=np.float32),
        },
    ),
    "MaxPool, padded unevenly": flat_model(
        node("MaxPool", "x", kernel_shape=[2, 3], pads=[0, 1, 1, 2], strides=[2, 2])
    ),
    "MaxPool, padded widely": flat_model(
        node("MaxPool", "x", kernel_shape=[3, 3], pads=[2, 2, 2, 2])
    ),
    "MaxPool, rounded up": flat_model(
        node("MaxPool", "x", kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1)
    ),
    "MaxPool, rounded up, padded": flat_model(
        node("MaxPool", "x", kernel_shape=[3, 3], strides=[3, 2], pads=[1, 0, 0, 1], ceil_mode=1)
    ),
    "AveragePool, padded unevenly": flat_model(
        node("AveragePool", "x", kernel_shape=[2, 3], pads=[0, 1, 1, 2], strides=[2, 2])
    ),
    "AveragePool, rounded up": flat_model(
        node(
            "AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 0, 1], ceil_mode=1
        ),
        opset=19,
    ),
    "AveragePool, rounded up, padding counted": flat_model(
        node(
            "AveragePool",
            "x",
            kernel_shape=[2, 3],
            strides=[2, 2],
            pads=[0, 1, 0, 1],
            ceil_mode=1,
            count_include_pad=1,
        ),
        opset=19,
    ),
    "Conv, BatchNormalization and pooling in one dimension": flat_model(
        node("Conv", "x", "w", pads=[1, 0], strides=[2], output="a"),
        node("BatchNormalization", "a", *NORMS, output="b"),
        node("MaxPool", "b", kernel_shape=[3], pads=[1, 0], output="c"),
        node("AveragePool", "c", kernel_shape=[2]),
        weights={"w": draw(2, 3, 3), **NORMS},
        image=("batch", 3, 20),
    ),
    "Conv and pooling in three dimensions": flat_model(
        node("Conv", "x", "w", pads=[0, 1, 0, 1, 1, 0], output="a"),
        node("MaxPool", "a", kernel_shape=[2, 2, 2], output="b"),
        node("GlobalAveragePool", "b"),
        weights={"w": draw(2, 1, 2, 3, 2)},
        image=("batch", 1, 4, 5, 6),
    ),
    "GlobalMaxPool and ReduceMax": model(
        node("GlobalMaxPool", "x", output="a"), node("ReduceMax", "a", axes=[1, 2], keepdims=0)
    ),
    "ReduceSum": flat_model(node("ReduceSum", "x", "shape"), weights=shape_of(-1, 1)),
    "ReduceSum of nothing": flat_model(node("ReduceSum", "x", noop_with_empty_axes=1)),
    "ReduceSum, axes as an attribute": model(
        node("ReduceSum", "x", axes=[1, 2, 3], keepdims=0, output="s"),
        node("Unsqueeze", "s", axes=[1]),
        opset=11,
    ),
    "ReduceMean over channels": flat_model(node("ReduceMean", "x", axes=[1], keepdims=0)),
    "MatMul of the last axis": flat_model(node("MatMul", "x", "w"), weights={"w": draw(6, 3)}),
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
def test_an_operator_does_what_onnxruntime_does(name: str, tmp_path: Path) -> None:
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
