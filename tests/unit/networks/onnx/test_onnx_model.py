"""Files that are damaged, or are no classifier of images, are refused with what was found."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import (
    FLAT,
    IMAGE,
    LOGITS,
    assert_same_function,
    draw,
    flat_model,
    linear_model,
    load,
    model,
    node,
    refusal,
    residual_classifier,
)

from advmip import InputError, load_network, staged


@pytest.mark.parametrize(
    "image",
    [("batch", 2, "height", 6), ("batch", 2, 7, None), (4, *IMAGE), ("batch",), ()],
)
def test_an_input_without_a_fixed_image_is_refused(
    image: tuple[int | str | None, ...], tmp_path: Path
) -> None:
    error = refusal(model(node("Flatten", "x"), image=image), tmp_path)
    assert "inputs" in error.subject
    assert f"float x ({', '.join('?' if side is None else str(side) for side in image)})" in (
        error.found
    )


@pytest.mark.parametrize("kind", [TensorProto.UINT8, 77])
def test_an_input_that_is_no_float_is_refused(kind: int, tmp_path: Path) -> None:
    proto = model(node("Flatten", "x"), kind=kind)
    assert "inputs" in refusal(proto, tmp_path).subject


def test_several_inputs_are_refused(tmp_path: Path) -> None:
    proto = flat_model(node("Add", "x", "z"))
    proto.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, *IMAGE]))
    assert refusal(proto, tmp_path).found == "float x (batch, 2, 7, 6), float z (1, 2, 7, 6)"


def test_weights_listed_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    proto = linear_model(draw(84, 3), draw(3))
    for name, shape in (("w", (84, 3)), ("b", (3,))):
        proto.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    assert_same_function(load(proto, tmp_path), proto, 1e-5)


def test_an_output_that_is_no_answer_to_an_image_is_refused(tmp_path: Path) -> None:
    proto = model(node("Identity", "c"), weights={"c": draw(1, 3)})
    error = refusal(proto, tmp_path)
    assert "outputs" in error.subject
    assert "does not depend on the image" in error.found


@pytest.mark.parametrize(
    ("proto", "width"),
    [
        (linear_model(draw(84, 1), draw(1)), 1),
        (linear_model(draw(84, 1000), draw(1000)), 1000),
        (model(node("Relu", "x")), 84),
    ],
)
def test_outputs_of_any_number_and_shape_are_a_row(
    proto: onnx.ModelProto, width: int, tmp_path: Path
) -> None:
    network = load(proto, tmp_path)
    assert network.outputs() == staged(network).classes == width


def test_several_outputs_are_refused(tmp_path: Path) -> None:
    proto = model(FLAT, node("Relu", "flat"))
    proto.graph.output.append(helper.make_tensor_value_info("flat", TensorProto.FLOAT, LOGITS))
    assert refusal(proto, tmp_path).found == "2 outputs"


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    onnx.save(residual_classifier(), file)
    content = file.read_bytes()
    for end in [0, 1, *range(7, len(content), 211), len(content) - 1]:
        file.write_bytes(content[:end])
        with pytest.raises(InputError, match="truncated"):
            load_network(file)


def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    file.write_bytes(b"a text about networks")
    with pytest.raises(InputError, match="not readable as ONNX"):
        load_network(file)


@pytest.mark.parametrize("opset", [6, 999])
def test_operators_of_an_unknown_version_are_refused(opset: int, tmp_path: Path) -> None:
    proto = model(node("Flatten", "x"), opset=opset)
    assert f"(opset) {opset}" in refusal(proto, tmp_path).found


def test_a_model_that_the_checker_refuses_is_refused(tmp_path: Path) -> None:
    proto = model(node("Flatten", "missing"))
    assert "not a valid ONNX model" in refusal(proto, tmp_path).found


def test_weights_of_an_unknown_type_are_refused(tmp_path: Path) -> None:
    proto = linear_model(draw(84, 3), draw(3))
    proto.graph.initializer[0].data_type = 77
    error = refusal(proto, tmp_path)
    assert "weights 'w'" in error.subject
