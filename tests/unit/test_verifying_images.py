"""`advmip verify`: a line for each image, and a summary; what is wrong is said clearly."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from advmip import (
    InputError,
    cli,
    load_dataset,
    load_network,
    verifying_images,
)
from advmip.verifying_images import verify_images

HOW = {"label": None, "data_dir": None, "epsilon": 0.02, "time_limit": 30.0}


def test_a_range_of_a_data_set_gives_a_line_each_and_a_summary(
    digits_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = verify_images(digits_network, ["digits:0-9"], tmp_path, **{**HOW, "epsilon": 0.04})
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
    (verdict,) = verify_images(digits_network, [file], None, **HOW)
    assert verdict.status in ("robust", "attackable")
    capsys.readouterr()
    label = (int(load_dataset("digits", "test").labels[0]) + 1) % 10
    (wrong,) = verify_images(digits_network, [file], None, **{**HOW, "label": label})
    assert wrong.status == "misclassified"
    assert f"class {label} is taken for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("images", "changes", "named"),
    [
        ("digits:0", {"epsilon": 0.0}, "epsilon"),
        ("digits:0", {"epsilon": -0.5}, "epsilon"),
        ("digits:0", {"epsilon": 1.5}, "epsilon"),
        ("digits:0", {"norm": "linfinity"}, "did you mean 'linf'"),
        ("digits:0-999999", {}, "a rising range"),
        ("digits:9-3", {}, "a rising range"),
        ("shapes:0", {}, "a rising range among them, and the network's input"),
        ("digit:0", {}, "did you mean 'digits'"),
        ("nowhere.npy", {}, "no such file"),
    ],
)
def test_bad_input_is_answered_clearly(
    digits_network: Path, images: str, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        verify_images(digits_network, [images], None, **{**HOW, **changes})


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
    monkeypatch.setattr(verifying_images, "load_network", lambda _: strange)
    with pytest.raises(InputError, match="Sigmoid"):
        verify_images(digits_network, ["digits:0"], None, **HOW)
