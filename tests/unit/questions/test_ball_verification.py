"""`advmip verify`: a line for each image, and a summary; what is wrong is said clearly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn

from advmip import (
    CheckError,
    InputError,
    Verdict,
    Verifier,
    cli,
    load_dataset,
    load_network,
)
from advmip.errors import exit_status
from advmip.questions import question
from advmip.questions.asking import Asked, Batch, ask
from advmip.questions.ball_verification import BallVerification
from advmip.questions.labelled_images import LabelledImage, labelled_images

HOW = {"label": None, "data_dir": None, "epsilon": 0.02, "time_limit": 30.0}


def verify_images(
    network_file: Path,
    images: Sequence[str],
    out: Path | None,
    *,
    label: int | None,
    data_dir: Path | None,
    **how: Any,
) -> Batch[Verdict]:
    return ask(BallVerification, network_file, Asked(images, label, data_dir), out, **how)


def test_a_range_of_a_data_set_gives_a_line_each_and_a_summary(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = {**HOW, "epsilon": 0.04}
    verdicts = verify_images(digits_network, ["digits:0-9"], tmp_path, **how).answers
    *lines, summary = capsys.readouterr().out.splitlines()
    assert [line.split(":")[1] for line in lines] == [str(number) for number in range(10)]
    assert summary.startswith("10 images: ")
    for number, verdict in enumerate(verdicts):
        assert f", class {load_dataset('digits', 'test').labels[number]}" in lines[number]
        assert lines[number].startswith(f"digits:{number}: {verdict.status}")
        attacked = tmp_path / f"digits-{number}.npy"
        assert attacked.exists() == (verdict.adversarial is not None)
    assert {verdict.status for verdict in verdicts} >= {"robust", "attackable"}


def test_an_image_of_the_users_own_has_the_class_that_the_network_gives_it(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = load_dataset("digits", "test").images[0]
    np.save(tmp_path / "image.npy", image)
    file = str(tmp_path / "image.npy")
    (verdict,) = verify_images(digits_network, [file], None, **HOW).answers
    assert verdict.status in ("robust", "attackable")
    capsys.readouterr()
    label = (int(load_dataset("digits", "test").labels[0]) + 1) % 10
    (wrong,) = verify_images(digits_network, [file], None, **{**HOW, "label": label}).answers
    assert wrong.status == "misclassified"
    assert f"class {label} is taken for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": -0.5}, "epsilon"),
        ({"epsilon": 1.5}, "epsilon"),
        ({"norm": "linfinity"}, "did you mean 'linf'"),
        ({"layout": "hw"}, "layout of network"),
    ],
)
def test_bad_input_for_all_images_is_answered_at_once(
    digits_network: Path, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        verify_images(digits_network, ["digits:0"], None, **{**HOW, **changes})


@pytest.mark.parametrize(
    ("image", "named"),
    [
        ("digits:0-999999", "a rising range"),
        ("digits:9-3", "a rising range"),
        ("shapes:0", "found: an array of shape (3, 16, 16)"),
        ("digit:0", "did you mean 'digits'"),
        ("nowhere.npy", "no such file"),
        ("broken.npy", "not readable"),
        ("bytes.npy", "255.0 at (0, 0, 0)"),
        ("wide.npy", "an array of shape (8, 9)"),
    ],
)
def test_an_image_that_cannot_be_used_has_its_line_and_the_others_are_done(
    digits_network: Path,
    image: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.npy").write_text("no array")
    np.save("bytes.npy", np.full((8, 8), 255, np.uint8))
    np.save("wide.npy", np.zeros((8, 9)))
    batch = verify_images(digits_network, ["digits:0", image, "digits:1"], None, **HOW)
    first, failed, last, summary = capsys.readouterr().out.splitlines()
    assert first.startswith("digits:0: ")
    assert failed.startswith(f"{image}: failed, ")
    assert named in failed
    assert "to mend:" in failed
    assert last.startswith("digits:1: ")
    assert summary.startswith("3 images: ")
    assert ", 1 failed; " in summary
    assert len(batch.answers) == 2
    assert [type(error) for error in batch.failures] == [InputError]
    assert exit_status(batch.failures) == 2


def test_an_answer_that_fails_its_check_is_a_failure_of_its_image_alone(
    digits_network: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = Verifier.verdict
    asked = []

    def doubting(verifier: Verifier, image: np.ndarray, label: int, proof: None) -> Verdict:
        asked.append(label)
        if len(asked) == 2:
            raise CheckError("an attacked image fails its check", Path("failed.npz"))
        return honest(verifier, image, label, proof)

    monkeypatch.setattr(Verifier, "verdict", doubting)
    batch = verify_images(digits_network, ["digits:0-2", "none.npy"], None, **HOW)
    lines = capsys.readouterr().out.splitlines()
    assert "fails its check; saved in: failed.npz" in lines[1]
    assert ", 2 failed; " in lines[-1]
    assert len(batch.answers) == 2
    assert exit_status(batch.failures) == 3


def test_images_of_one_name_from_two_folders_are_both_kept(
    digits_network: Path, tmp_path: Path
) -> None:
    images = load_dataset("digits", "test").images
    files = [tmp_path / folder / "image.npy" for folder in ("a", "b")]
    for file, image in zip(files, images, strict=False):
        file.parent.mkdir()
        np.save(file, image)
    how = {**HOW, "epsilon": 0.5}
    batch = verify_images(digits_network, list(map(str, files)), tmp_path / "out", **how)
    kept = [np.load(tmp_path / "out" / name) for name in ("image.npy", "image-2.npy")]
    for verdict, array in zip(batch.answers, kept, strict=True):
        np.testing.assert_array_equal(array, verdict.adversarial)


def test_a_folder_that_cannot_be_made_is_found_out_at_once(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        verify_images(digits_network, ["digits:0"], tmp_path / "file", **HOW)
    assert not capsys.readouterr().out


def test_the_command_ends_with_a_message_and_no_traceback(
    digits_network: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["advmip", "verify", str(digits_network), "digits:0", "--epsilon", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "epsilon of the verification" in capsys.readouterr().err


def test_a_layer_that_is_unknown_is_named(
    digits_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = load_network(digits_network)
    strange.body = nn.Sequential(strange.body, nn.Sigmoid())
    monkeypatch.setattr(question, "load_network", lambda *_: strange)
    with pytest.raises(InputError, match="Sigmoid"):
        verify_images(digits_network, ["digits:0"], None, **HOW)


def shapes_network(file: Path, channels_last: bool) -> Path:
    """A convolutional network for the data set of shapes, as PyTorch or as Keras exports it."""
    random = np.random.default_rng(0)
    weights = {"k": random.normal(size=(4, 3, 5, 5)) / 5, "w": random.normal(size=(4 * 36, 3))}
    nodes = [
        helper.make_node("Transpose", ["x"], ["planes"], perm=[0, 3, 1, 2])
        if channels_last
        else helper.make_node("Identity", ["x"], ["planes"]),
        helper.make_node("Conv", ["planes", "k"], ["sums"], strides=[2, 2]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("Flatten", ["hidden"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    image = (16, 16, 3) if channels_last else (3, 16, 16)
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("batch", *image))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("batch", 3))],
        [numpy_helper.from_array(each.astype(np.float32), name) for name, each in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), file)
    return file


def test_channels_last_change_no_class_and_no_verdict(tmp_path: Path) -> None:
    """Of a data set's images, of pictures and of arrays in either order."""
    image = load_dataset("shapes", "test").images[0]
    Image.fromarray((255 * image.transpose(1, 2, 0)).round().astype(np.uint8)).save(
        tmp_path / "picture.png"
    )
    np.save(tmp_path / "first.npy", image)
    np.save(tmp_path / "last.npy", image.transpose(1, 2, 0))
    files = [str(tmp_path / name) for name in ("picture.png", "first.npy", "last.npy")]
    networks = [
        shapes_network(tmp_path / f"{last}.onnx", channels_last=last) for last in (False, True)
    ]
    answers = [
        [
            (each.label, network.answer(each.image))
            for each in labelled_images(network, ["shapes:0-39", *files], None, None)
            if isinstance(each, LabelledImage)
        ]
        for network in map(load_network, networks)
    ]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 43
    assert len(set(answers[0])) > 1
    how = {**HOW, "epsilon": 0.001}
    first, last = (verify_images(network, files, None, **how).answers for network in networks)
    for one, other in zip(first, last, strict=True):
        assert one.status == other.status
        np.testing.assert_allclose(one.margins, other.margins, atol=1e-9)
