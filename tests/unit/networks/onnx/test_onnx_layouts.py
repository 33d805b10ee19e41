"""Which axes of an ONNX file's input are channels, found from how its graph reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import assert_same_function, draw, load, model, node, shape_of

from advmip import InputError, load_network, minimal_attack

CHANNELS, HEIGHT, WIDTH = 2, 5, 6
WEIGHTS = {"k": draw(3, CHANNELS, 3, 3), "w": draw(3 * 3 * 4, 4)}
BEHIND = (
    node("Conv", "planes", "k", output="a"),
    node("Relu", "a", output="b"),
    node("Flatten", "b", output="c"),
    node("Gemm", "c", "w"),
)
PICTURE = np.random.default_rng(1).random((CHANNELS, HEIGHT, WIDTH))


def convolution(*before: onnx.NodeProto, image: tuple[int, ...], **weights: Any) -> onnx.ModelProto:
    """A convolution of "planes" behind what makes them of the input."""
    return model(*before, *BEHIND, weights=WEIGHTS | weights, image=("batch", *image))


TRANSPOSE = node("Transpose", "x", output="planes", perm=[0, 3, 1, 2])
LAST = (HEIGHT, WIDTH, CHANNELS)

READ = {
    "a transpose": (convolution(TRANSPOSE, image=LAST), PICTURE.transpose(1, 2, 0)),
    "a transpose behind the normalisation": (
        convolution(
            node("Sub", "x", "mean", output="p"),
            node("Div", "p", "std", output="q"),
            node("Identity", "q", output="r"),
            node("Transpose", "r", output="planes", perm=[0, 3, 1, 2]),
            image=LAST,
            mean=draw(CHANNELS),
            std=np.float32(2.0) + draw(1, 1, 1, CHANNELS) ** 2,
        ),
        PICTURE.transpose(1, 2, 0),
    ),
    "the normalisation behind a transpose": (
        convolution(
            node("Transpose", "x", output="p", perm=[0, 3, 1, 2]),
            node("Mul", "p", "factor", output="planes"),
            image=LAST,
            factor=draw(1, CHANNELS, 1, 1),
        ),
        PICTURE.transpose(1, 2, 0),
    ),
    "width before height": (
        convolution(
            node("Transpose", "x", output="planes", perm=[0, 3, 2, 1]),
            image=(WIDTH, HEIGHT, CHANNELS),
        ),
        PICTURE.transpose(2, 1, 0),
    ),
    "a row in planes": (
        convolution(
            node("Reshape", "x", "shape", output="planes"),
            image=(PICTURE.size,),
            **shape_of(-1, CHANNELS, HEIGHT, WIDTH),
        ),
        PICTURE.ravel(),
    ),
    "a row with channels last": (
        convolution(
            node("Reshape", "x", "shape", output="p"),
            node("Transpose", "p", output="planes", perm=[0, 3, 1, 2]),
            image=(PICTURE.size,),
            **shape_of(-1, *LAST),
        ),
        PICTURE.transpose(1, 2, 0).ravel(),
    ),
    "channels first": (
        convolution(node("Identity", "x", output="planes"), image=PICTURE.shape),
        PICTURE,
    ),
}


@pytest.mark.parametrize("name", READ)
def test_the_first_convolution_says_what_the_axes_mean(name: str, tmp_path: Path) -> None:
    proto, stored = READ[name]
    network = load(proto, tmp_path)
    assert_same_function(network, proto, 1e-4)
    assert network.architecture.input_shape == stored.shape
    np.testing.assert_array_equal(network.layout.picture(stored), PICTURE)
    np.testing.assert_array_equal(network.layout.own(PICTURE), stored)
    assert network.answer(PICTURE) == network.answer(stored)


def test_one_channel_may_be_moved_by_a_reshape(tmp_path: Path) -> None:
    weights = {"k": draw(3, 1, 3, 3), "w": draw(3 * 3 * 4, 4)} | shape_of(-1, 1, HEIGHT, WIDTH)
    first = node("Reshape", "x", "shape", output="planes")
    proto = model(first, *BEHIND, weights=weights, image=("batch", HEIGHT, WIDTH, 1))
    assert load(proto, tmp_path).layout.planes.shape == (1, HEIGHT, WIDTH)


DENSE = model(
    node("Flatten", "x", output="flat"),
    node("Gemm", "flat", "w"),
    weights={"w": draw(90, 4)},
    image=("batch", 6, 5, 3),
)


def test_where_no_layer_says_the_shape_does_and_the_user_may(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        network = load(DENSE, tmp_path)
    assert network.layout.words == "hwc:6x5x3"
    assert "laid out as hwc:6x5x3, by their shape" in caplog.text
    said = load_network(tmp_path / "network.onnx", layout="chw")
    assert said.layout.planes.shape == (6, 5, 3)
    assert said.digest == network.digest
    with pytest.raises(InputError, match="layout of network"):
        load_network(tmp_path / "network.onnx", layout="hw")


@pytest.mark.parametrize("distance", ["tv", "l1+tv"])
def test_neighbours_are_those_of_the_picture_whatever_the_layout(
    distance: str, tmp_path: Path
) -> None:
    first, last = (
        convolution(*before, image=image)
        for before, image in (
            ([node("Identity", "x", output="planes")], PICTURE.shape),
            ([TRANSPOSE], LAST),
        )
    )
    attacks = []
    for proto in (first, last):
        network = load(proto, tmp_path)
        own = network.layout.own(PICTURE)
        label = network.answer(own)
        attack = minimal_attack(network, own, label, distance, time_limit=60.0)
        assert attack.status == "optimal"
        assert attack.adversarial is not None
        assert attack.adversarial.shape == own.shape
        change = network.layout.picture(attack.adversarial) - PICTURE
        variation = sum(np.abs(np.diff(change, axis=axis)).sum() for axis in (1, 2))
        counted = variation + (np.abs(change).sum() if distance == "l1+tv" else 0.0)
        assert counted == pytest.approx(attack.distance, abs=1e-6)
        attacks.append(attack)
    assert attacks[0].distance == pytest.approx(attacks[1].distance, rel=1e-3)
