"""Operators and settings of them that cannot be translated are named with their place."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import (
    CONV,
    FLAT,
    NORMS,
    RELU,
    draw,
    flat_model,
    linear_model,
    load,
    model,
    node,
    refusal,
    shape_of,
)

from advmip import InputError


def test_an_unknown_operator_is_named_with_its_place_and_those_that_are_known(
    tmp_path: Path,
) -> None:
    proto = flat_model(node("Relu", "x", output="a"), node("Sigmoid", "a"))
    error = refusal(proto, tmp_path)
    assert "node 2 of 3, Sigmoid 'the Sigmoid'" in error.subject
    assert error.found == "operator Sigmoid"
    for known in ("Gemm", "Conv", "Unsqueeze", "at the end LogSoftmax"):
        assert known in error.expected


def test_an_operator_of_another_domain_is_unknown_even_by_a_known_name(tmp_path: Path) -> None:
    proto = flat_model(node("Relu", "x", domain="com.example"))
    assert refusal(proto, tmp_path).found == "operator com.example.Relu"


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_a_softmax_that_is_not_the_last_is_refused(kind: str, tmp_path: Path) -> None:
    inside = model(FLAT, node(kind, "flat", output="a"), node("Relu", "a"))
    assert refusal(inside, tmp_path).found == f"operator {kind}"


UNSUPPORTED: dict[str, tuple[onnx.ModelProto, str]] = {
    "transA": (
        model(FLAT, node("Gemm", "flat", "w", transA=1), weights={"w": draw(3, 4)}),
        "transA",
    ),
    "a weight computed from the image": (model(FLAT, node("MatMul", "flat", "flat")), "constant"),
    "a constant times a value": (
        model(node("MatMul", "w", "x"), weights={"w": draw(3, 2)}, image=("batch", 2)),
        "constant",
    ),
    "a vector as weight": (
        model(FLAT, node("MatMul", "flat", "w"), weights={"w": draw(84)}),
        "1 axes",
    ),
    "a bias by image": (
        model(FLAT, node("Gemm", "flat", "w", "b"), weights={"w": draw(84, 3), "b": draw(3, 1)}),
        r"bias of shape \(3, 1\)",
    ),
    "weights of another size": (linear_model(draw(80, 3), draw(3)), "do not fit"),
    "a convolution of one dimension": (
        flat_model(node("Conv", "x", "w"), weights={"w": draw(2, 2, 3)}),
        "'x' with 4 axes",
    ),
    "another kernel_shape": (
        flat_model(node("Conv", "x", "w", kernel_shape=[5, 5]), weights={"w": CONV["w"]}),
        "kernel_shape",
    ),
    "groups that do not divide": (
        flat_model(node("Conv", "x", "w", group=3), weights={"w": CONV["w"]}),
        "3 groups",
    ),
    "an unknown auto_pad": (
        flat_model(node("Conv", "x", "w", auto_pad="SAME"), weights={"w": CONV["w"]}),
        "SAME",
    ),
    "an auto_pad that is no text": (
        flat_model(node("Conv", "x", "w", auto_pad=b"\xff"), weights={"w": CONV["w"]}),
        "auto_pad",
    ),
    "a stride of 0": (
        flat_model(node("Conv", "x", "w", strides=[0, 1]), weights={"w": CONV["w"]}),
        "strides",
    ),
    "negative pads": (
        flat_model(node("Conv", "x", "w", pads=[-1, 0, 0, 0]), weights={"w": CONV["w"]}),
        "pads",
    ),
    "batch normalisation in training": (
        flat_model(
            helper.make_node(
                "BatchNormalization",
                ["x", *NORMS],
                ["y", "mean_out", "variance_out"],
                training_mode=1,
            ),
            weights=NORMS,
        ),
        "training",
    ),
    "batch normalisation of more channels": (
        flat_model(
            node("BatchNormalization", "x", *NORMS),
            weights={name: draw(3) ** 2 for name in NORMS},
        ),
        "each of its channels",
    ),
    "a negative variance": (
        flat_model(
            node("BatchNormalization", "x", *NORMS),
            weights={**NORMS, "variance": np.array([1, -1], dtype=np.float32)},
        ),
        "variance of -1",
    ),
    "a variance of 0": (
        flat_model(
            node("BatchNormalization", "x", *NORMS, epsilon=0.0),
            weights={**NORMS, "variance": np.zeros(2, dtype=np.float32)},
        ),
        "variance of 0",
    ),
    "a product of values": (flat_model(node("Mul", "x", "x")), "product of two values"),
    "a division by a value": (
        flat_model(node("Div", "c", "x"), weights={"c": draw(1)}),
        "not a constant",
    ),
    "a division by zero": (
        flat_model(node("Div", "x", "c"), weights={"c": np.zeros(1, dtype=np.float32)}),
        "division by 0",
    ),
    "a constant that differs by image": (
        flat_model(node("Add", "x", "c"), weights={"c": draw(3, 1, 1, 1)}),
        "same for every image",
    ),
    "a constant with more axes": (
        flat_model(node("Add", "x", "c"), weights={"c": draw(1, 1, 1, 1, 1)}),
        "same for every image",
    ),
    "values of different ranks": (
        flat_model(FLAT, node("Add", "x", "flat")),
        "same number of axes",
    ),
    "values of different shapes": (
        flat_model(node("MaxPool", "x", kernel_shape=[2, 2], output="a"), node("Add", "x", "a")),
        r"\(batch, 2, 7, 6\) and \(batch, 2, 6, 5\)",
    ),
    "flattening the batch": (model(node("Flatten", "x", axis=0)), "axis 0"),
    "a shape computed from the image": (
        model(node("Cast", "x", output="shape", to=TensorProto.FLOAT), node("Reshape", "x", "x")),
        "not a constant",
    ),
    "a shape of floats": (model(node("Reshape", "x", "c"), weights={"c": draw(2)}), "float32"),
    "a reshape into the batch": (
        model(node("Reshape", "x", "shape"), weights=shape_of(-1, 42)),
        "batch in front",
    ),
    "a reshape without the batch": (
        model(node("Reshape", "x", "shape"), weights=shape_of(84)),
        "batch in front",
    ),
    "a reshape with two unknowns": (
        model(node("Reshape", "x", "shape"), weights=shape_of(-1, -1)),
        "batch in front",
    ),
    "transposing the batch": (flat_model(node("Transpose", "x")), r"\[3, 2, 1, 0\]"),
    "MaxPool all in its padding": (
        flat_model(RELU, node("MaxPool", "hidden", kernel_shape=[2, 2], pads=[2, 0, 0, 0])),
        "padding altogether",
    ),
    "indices of MaxPool": (
        flat_model(
            helper.make_node("MaxPool", ["x"], ["a", "indices"], kernel_shape=[2, 2]),
            node("Cast", "indices", to=TensorProto.FLOAT),
        ),
        "first output of a node",
    ),
    "AveragePool with dilations": (
        flat_model(node("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 2]), opset=19),
        "dilations",
    ),
    "pooling of a row": (
        model(FLAT, node("MaxPool", "flat", kernel_shape=[2, 2])),
        "2 axes",
    ),
    "a sum over the batch": (
        flat_model(node("ReduceSum", "x", axes=[0, 2]), opset=11),
        "axes 0, 2",
    ),
    "slopes by pixel": (
        flat_model(node("PRelu", "x", "s"), weights={"s": draw(7, 6)}),
        r"slopes of shape \(7, 6\)",
    ),
    "a clip at several numbers": (
        flat_model(node("Clip", "x", "c"), weights={"c": draw(2)}),
        r"shape \(2,\)",
    ),
    "a clip at what depends on the image": (flat_model(node("Clip", "x", "x")), "not a constant"),
    "joining along the batch": (flat_model(node("Concat", "x", "x", axis=0)), "axis 0"),
    "joining what does not fit": (
        flat_model(node("Concat", "x", "c", axis=1), weights={"c": draw(1, 2, 3, 3)}),
        "do not fit",
    ),
    "padding the batch": (
        flat_model(node("Pad", "x", "shape"), weights=shape_of(1, 0, 0, 0, 0, 0, 0, 0)),
        "pads",
    ),
    "reflected channels": (
        flat_model(
            node("Pad", "x", "shape", mode="reflect"), weights=shape_of(0, 1, 0, 0, 0, 0, 0, 0)
        ),
        "'reflect'",
    ),
    "reflection of more than there is": (
        flat_model(
            node("Pad", "x", "shape", mode="reflect"), weights=shape_of(0, 0, 9, 0, 0, 0, 0, 0)
        ),
        "do not fit",
    ),
    "too few pads": (flat_model(node("Pad", "x", "shape"), weights=shape_of(1, 1)), "pads"),
    "padding with infinity": (
        flat_model(
            node("Pad", "x", "shape", "c"),
            weights={**shape_of(0, 0, 1, 0, 0, 0, 0, 0), "c": np.array(np.inf, dtype=np.float32)},
        ),
        "infinite",
    ),
    "a slice of the batch": (
        flat_model(
            node("Slice", "x", "starts", "ends"),
            weights={"starts": np.array([0]), "ends": np.array([1])},
        ),
        "slice of the batch",
    ),
    "bounds computed from the image": (flat_model(node("Slice", "x", "x", "x")), "not a constant"),
    "an image of the batch": (
        flat_model(node("Gather", "x", "c"), weights={"c": np.array([0])}),
        "axis 0",
    ),
    "a place that is not there": (
        flat_model(node("Gather", "x", "c", axis=1), weights={"c": np.array([2])}),
        r"indices \[2\]",
    ),
    "parts of another size": (
        flat_model(node("Split", "x", "shape", axis=1), weights=shape_of(1)),
        r"parts \[1\] of 2",
    ),
    "an expansion into more axes": (
        flat_model(node("Expand", "x", "shape"), weights=shape_of(3, 1, 1, 1, 1)),
        "shape",
    ),
    "an expansion of the batch": (
        flat_model(node("Expand", "x", "shape"), weights=shape_of(3, 1, 1, 1)),
        "the batch in front",
    ),
    "an expansion that does not fit": (
        flat_model(node("Expand", "x", "shape"), weights=shape_of(5, 1)),
        "do not fit",
    ),
    "a softmax over pixels": (model(node("Softmax", "x")), "axis -1"),
    "a shape that mixes the images": (
        model(
            node("Shape", "x", output="sizes"),
            node("Mul", "sizes", "two", output="twice"),
            node("Reshape", "x", "twice"),
            weights={"two": np.array([2, 1, 1, 1])},
        ),
        "batch in front",
    ),
    "a mean over everything": (model(node("ReduceMean", "x")), "axes left out"),
    "a cast to integers": (model(node("Cast", "x", to=TensorProto.INT64)), "cast"),
    "dropout in training": (
        model(node("Dropout", "x", "", "on"), weights={"on": np.array(True)}),
        "dropout as in training",
    ),
    "squeezing the batch": (
        model(node("Squeeze", "x"), image=(1, 1, 1, 5)),
        "axes left out",
    ),
    "unsqueezing before the batch": (
        flat_model(node("Unsqueeze", "x", "shape"), weights=shape_of(0)),
        "behind the batch",
    ),
    "axes that are not there": (
        flat_model(node("Squeeze", "x", "shape"), weights=shape_of(7)),
        r"axes \[7\]",
    ),
    "constants that do not fit": (
        flat_model(
            node("Add", "c", "d", output="e"),
            node("Add", "x", "e"),
            weights={"c": draw(2), "d": draw(3)},
        ),
        "cannot be computed",
    ),
    "weights that are integers": (
        flat_model(node("Add", "x", "c"), weights={"c": np.array([1])}),
        "int64",
    ),
    "weights too large for float32": (
        model(
            FLAT,
            node("Gemm", "flat", "w", alpha=1e30),
            weights={"w": np.full((84, 3), 1e30, np.float32)},
        ),
        "1e[+]30",
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_cannot_be_translated_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    proto, named = UNSUPPORTED[name]
    with pytest.raises(InputError, match=named) as caught:
        load(proto, tmp_path)
    assert f"{tmp_path / 'network.onnx'}, node " in caught.value.subject


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_counted(value: float, tmp_path: Path) -> None:
    bias = draw(3)
    bias[:2] = value
    error = refusal(linear_model(draw(84, 3), bias), tmp_path)
    assert error.found.startswith("2 of 3 values of 'b'")
    assert "Gemm" in error.subject
