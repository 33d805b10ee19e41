"""What a user may name as images: files, folders, archives, ranges; and what is none of these."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advmip import load_dataset, load_network
from advmip.questions.labelled_images import LabelledImage, Unusable, labelled_images


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three test images of the digits as files, and four in an archive."""
    test = load_dataset("digits", "test")
    monkeypatch.chdir(tmp_path)
    shown = tmp_path / "shown"
    shown.mkdir()
    for number in range(2):
        np.save(shown / f"{number}.npy", test.images[number])
    Image.fromarray((255 * test.images[2, 0]).round().astype(np.uint8)).save(shown / "2.png")
    (shown / "notes.txt").write_text("no image")
    np.savez("four.npz", images=test.images[:4], labels=test.labels[:4])
    return tmp_path


def found(network_file: Path, *names: str) -> list[LabelledImage]:
    listed = list(labelled_images(load_network(network_file), names))
    assert all(isinstance(each, LabelledImage) for each in listed), listed
    return [each for each in listed if isinstance(each, LabelledImage)]


def test_all_names_of_an_image_give_the_same_image(digits_network: Path, folder: Path) -> None:
    by_range = found(digits_network, "digits:0-2", "digits:3")
    for names in (["four.npz"], ["four.npz:0-1", "four.npz:2-3"]):
        for one, other in zip(found(digits_network, *names), by_range, strict=True):
            assert one.key == other.key
    for one, other in zip(found(digits_network, "shown"), by_range[:3], strict=True):
        np.testing.assert_allclose(one.image, other.image, atol=1 / 255)
    network = load_network(digits_network)
    assert [each.label for each in found(digits_network, "shown")] == [
        network.answer(each.image) for each in by_range[:3]
    ]


def test_training_images_are_named_by_their_split(digits_network: Path) -> None:
    data = load_dataset("digits", "train")
    listed = found(digits_network, "digits-train:3-5")
    assert [each.name for each in listed] == [f"digits-train:{place}" for place in (3, 4, 5)]
    assert [each.label for each in listed] == data.labels[3:6].tolist()
    np.testing.assert_array_equal(listed[0].image, data.images[3])
    assert found(digits_network, "digits-test:3")[0].key == found(digits_network, "digits:3")[0].key


def test_files_of_results_are_called_after_their_images(digits_network: Path, folder: Path) -> None:
    listed = found(digits_network, "digits:3", "four.npz:2", "shown/0.npy")
    assert [each.stem for each in listed] == ["digits-3", "four-2", "0"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "no image"),
        ("unlabelled.npz", "arrays images"),
        ("short.npz", "labels int64 (2,)"),
        ("unlabelled.npz:0-3", "arrays images"),
        ("broken.npz", "not readable"),
        ("none.npz", "no such file"),
        ("four.npz:2-4", "4 images, 0 to 3"),
        ("digits:0-360", "360 images, 0 to 359"),
        ("digits:", "no such file"),
    ],
)
def test_what_is_no_image_is_said(name: str, said: str, digits_network: Path, folder: Path) -> None:
    Path("empty").mkdir()
    images = np.zeros((3, 1, 8, 8))
    np.savez("unlabelled.npz", images=images)
    np.savez("short.npz", images=images, labels=np.zeros(2, np.int64))
    Path("broken.npz").write_bytes(b"PK\x03\x04")
    (each,) = labelled_images(load_network(digits_network), [name])
    assert isinstance(each, Unusable)
    assert said in str(each.error)


def test_pixels_of_files_may_have_another_range(digits_network: Path, tmp_path: Path) -> None:
    network = load_network(digits_network)
    np.save(tmp_path / "dark.npy", np.full((1, 8, 8), -0.5))
    names = [str(tmp_path / "dark.npy")]
    (refused,) = labelled_images(network, names)
    (taken,) = labelled_images(network, names, lower=-1.0)
    assert isinstance(refused, Unusable)
    assert isinstance(taken, LabelledImage)
    assert taken.image.min() == -0.5
