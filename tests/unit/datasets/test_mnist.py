"""MNIST's files, here made small: read as they are or gzipped, and refused when damaged."""

import gzip
import hashlib
import stat

import numpy as np
import pytest
import torchvision

from advmip.datasets import load_dataset, mnist, verify_dataset
from advmip.errors import InputError

ARRAYS = {
    "train-images-idx3-ubyte": np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8),
    "train-labels-idx1-ubyte": np.array([5, 0, 4, 1, 9], np.uint8),
    "t10k-images-idx3-ubyte": np.random.default_rng(1).integers(0, 256, (2, 28, 28), np.uint8),
    "t10k-labels-idx1-ubyte": np.array([7, 2], np.uint8),
}


def encoded(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


CONTENTS = {name: encoded(array) for name, array in ARRAYS.items()}


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(mnist, "_CHECKSUMS", sums)


def write(data_dir, packed=False):
    folder = data_dir / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_images_and_labels_come_back(tmp_path, packed):
    write(tmp_path, packed)
    train = load_dataset("mnist", "train", tmp_path, download=False)
    assert train.images.shape == (5, 1, 28, 28)
    np.testing.assert_array_equal(
        np.rint(train.images[:, 0] * 255), ARRAYS["train-images-idx3-ubyte"]
    )
    assert train.labels.tolist() == [5, 0, 4, 1, 9]
    assert load_dataset("mnist", "test", tmp_path, download=False).labels.tolist() == [7, 2]


def test_our_reader_agrees_with_that_of_torchvision(tmp_path):
    write(tmp_path)
    theirs = torchvision.datasets.MNIST(tmp_path, train=True)
    ours = load_dataset("mnist", "train", tmp_path, download=False)
    np.testing.assert_array_equal(np.rint(ours.images[:, 0] * 255), theirs.data.numpy())
    np.testing.assert_array_equal(ours.labels, theirs.targets.numpy())


def test_packed_files_are_read_from_a_folder_that_cannot_be_written(tmp_path):
    folder = write(tmp_path, packed=True)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before = sorted(folder.iterdir())
    load_dataset("mnist", "test", tmp_path)
    assert sorted(folder.iterdir()) == before


def test_the_manifest_names_files_counts_and_checksums(tmp_path):
    write(tmp_path, packed=True)
    manifest = verify_dataset("mnist", tmp_path, download=False)
    assert manifest["name"] == "mnist"
    assert manifest["counts"] == {"train": 60_000, "test": 10_000}
    assert manifest["sha256"]["MNIST/raw/t10k-labels-idx1-ubyte.gz"] == (
        hashlib.sha256(CONTENTS["t10k-labels-idx1-ubyte"]).hexdigest()
    )
    assert len(manifest["sha256"]) == 4


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_a_damaged_file_is_named_with_both_checksums(tmp_path, packed, damage):
    folder = write(tmp_path, packed)
    name = "train-images-idx3-ubyte"
    file = folder / (f"{name}.gz" if packed else name)
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        del content[-10:]
    elif damage == "empty":
        content.clear()
    else:
        content[len(content) // 2] ^= 1
    file.write_bytes(content)
    for use in (
        lambda: verify_dataset("mnist", tmp_path),
        lambda: load_dataset("mnist", "train", tmp_path),
    ):
        with pytest.raises(InputError) as caught:
            use()
        error = caught.value
        assert file.name in error.subject
        assert str(folder) in error.subject
        assert "checksum" in error.found
        assert hashlib.sha256(CONTENTS[name]).hexdigest() in error.expected
        assert all(way in error.mend for way in ("(1)", "(2)", "(3)"))
    assert file.read_bytes() == bytes(content), "a user's file is never replaced"


def test_a_missing_file_is_named(tmp_path):
    folder = write(tmp_path)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte in .*raw"):
        load_dataset("mnist", "train", tmp_path, download=False)


def test_missing_files_are_downloaded_through_torchvision(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "MNIST", lambda root, download: write(tmp_path))
    assert load_dataset("mnist", "test", tmp_path).labels.tolist() == [7, 2]


def test_a_failed_download_gives_the_reason_and_the_ways_to_mend(tmp_path, monkeypatch):
    def fail(root, download):
        raise RuntimeError("Error downloading\nno route to host")

    monkeypatch.setattr(torchvision.datasets, "MNIST", fail)
    with pytest.raises(InputError) as caught:
        load_dataset("mnist", "train", tmp_path)
    assert "no route to host" in caught.value.found
    assert len(str(caught.value).splitlines()) == 4
