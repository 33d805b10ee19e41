"""`advmip attack`: the answer in words, the attacked image and its picture."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from PIL import Image

from advmip import Attack, InputError, load_dataset, load_network, minimal_attack, verify
from advmip.questions.asking import Asked, ask
from advmip.questions.nearest_attack import NearestAttack


def attack_image(
    network_file: Path, image_file: Path, out: Path, *, label: int | None, **how: Any
) -> Attack:
    """One image alone."""
    batch = ask(NearestAttack, network_file, Asked([str(image_file)], label), out, **how)
    (attack,) = batch.answers
    assert attack is not None
    return attack


def test_an_attack_is_printed_and_written(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    attack = attack_image(
        digits_network, tmp_path / "image.npy", tmp_path / "attacked", label=None, distance="l1"
    )
    printed = capsys.readouterr().out
    assert printed.startswith("optimal: class")
    assert f"l1 distance {attack.distance:.8g}" in printed
    saved = np.load(tmp_path / "attacked.npy")
    np.testing.assert_array_equal(saved, attack.adversarial)
    assert load_network(digits_network).architecture.input_shape == saved.shape
    with Image.open(tmp_path / "attacked.png") as picture:
        assert picture.width > 2 * picture.height


def test_without_an_attack_nothing_is_written(digits_network: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", load_dataset("digits", "test").images[0])
    out = tmp_path / "attacked"
    attack = attack_image(
        digits_network,
        tmp_path / "image.npy",
        out,
        label=None,
        distance="l1",
        ratio=1e9,
        margin=1e9,
    )
    assert attack.adversarial is None
    assert not out.with_suffix(".npy").exists()


def dense_network(folder: Path, shape: tuple[int, ...], dtype: type = np.float32) -> Path:
    """The file of a network of an input of any shape."""
    random = np.random.default_rng(0)
    pixels, kind = int(np.prod(shape)), helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    weights = {"w": random.normal(size=(pixels, 6)) / pixels**0.5, "v": random.normal(size=(6, 3))}
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "w"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "v"], ["y"]),
        ],
        "network",
        [helper.make_tensor_value_info("x", kind, ("batch", *shape))],
        [helper.make_tensor_value_info("y", kind, ("batch", 3))],
        [numpy_helper.from_array(array.astype(dtype), name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "net.onnx")
    return folder / "net.onnx"


@pytest.mark.parametrize(
    "shape", [(1,), (3,), (16,), (1, 16, 1), (4, 4), (2, 3, 3), (5, 2, 2), (8, 2, 2), (2, 1, 3, 3)]
)
@pytest.mark.parametrize("distance", ["linf", "l1", "l1+tv"])
def test_inputs_of_any_axes_and_channels_are_attacked_and_drawn(
    shape: tuple[int, ...], distance: str, tmp_path: Path
) -> None:
    network = dense_network(tmp_path, shape)
    np.save(tmp_path / "image.npy", np.random.default_rng(1).random(shape))
    attack = attack_image(
        network, tmp_path / "image.npy", tmp_path / "out", label=None, distance=distance
    )
    if attack.adversarial is None:
        assert attack.status == "infeasible"
    else:
        assert np.load(tmp_path / "out.npy").shape == shape
        assert (tmp_path / "out.png").exists()


def test_a_flat_network_sees_the_neighbours_that_its_image_has(tmp_path: Path) -> None:
    file = dense_network(tmp_path, (16,))
    image = np.random.default_rng(1).random((4, 4))
    distances = []
    for name, given, layout in (
        ("square", image, None),
        ("channel", image[None], None),
        ("said", image.ravel(), "hw:4x4"),
        ("row", image.ravel(), None),
    ):
        np.save(tmp_path / f"{name}.npy", given)
        attack = attack_image(
            file,
            tmp_path / f"{name}.npy",
            tmp_path / "out",
            label=None,
            layout=layout,
            distance="l1+tv",
            gap=1e-6,
        )
        assert attack.adversarial is not None
        assert attack.adversarial.shape == (16,)
        distances.append(attack.distance)
    assert distances[1:3] == pytest.approx([distances[0]] * 2, rel=1e-5)
    # In a row, rows of the square lie beside each other, and columns are no neighbours.
    assert distances[3] != pytest.approx(distances[0], rel=1e-3)


def test_a_network_in_double_precision_is_attacked_and_verified_in_it(tmp_path: Path) -> None:
    network = load_network(dense_network(tmp_path, (1, 4, 4), np.float64))
    image = np.random.default_rng(1).random((1, 4, 4))
    label = network.answer(image)
    attack = minimal_attack(network, image, label)
    assert attack.status == "optimal"
    assert verify(network, image, label, 0.99 * attack.distance).status == "robust"
    assert verify(network, image, label, 1.01 * attack.distance).status == "attackable"


def test_an_image_stepped_through_backwards_is_attacked(tmp_path: Path) -> None:
    for shape in ((16,), (1, 4, 4)):
        network = load_network(dense_network(tmp_path, shape))
        image = np.random.default_rng(1).random(shape)[..., ::-1]
        label = network.answer(image)
        assert label == network.answer(image.copy())
        assert minimal_attack(network, image, label, "l1").status == "optimal"
        assert verify(network, image, label, 1e-3).status == "robust"


@pytest.mark.parametrize("out", ["folder", "file/attacked"])
def test_what_cannot_be_written_is_said_first(
    out: str, digits_network: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        attack_image(digits_network, tmp_path / "none.npy", tmp_path / out, label=None)
