"""CIFAR-10's files, here made small: the original batches, or archives of arrays."""

import hashlib
import pickle

import numpy as np
import pytest
import torchvision

from advmip.datasets import cifar10, load_dataset, verify_dataset
from advmip.durability.storage import file_digest
from advmip.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([6, 9, 9, 4, 1, 3], dtype=np.uint8)
SPLITS = {"train": slice(0, 4), "test": slice(4, 6)}


@pytest.fixture
def archives(tmp_path, monkeypatch):
    folder = tmp_path / "cifar10"
    folder.mkdir()
    for split, part in SPLITS.items():
        lossy = np.arange(part.start, part.stop) == 4
        np.savez(folder / f"{split}.npz", images=IMAGES[part], labels=LABELS[part], lossy=lossy)
    sums = {split: file_digest(folder / f"{split}.npz") for split in SPLITS}
    monkeypatch.setattr(cifar10, "_ARCHIVES", sums)
    return tmp_path


def write_batches(data_dir, monkeypatch):
    folder = data_dir / "cifar-10-batches-py"
    folder.mkdir()
    contents = {
        "data_batch_1": {"data": IMAGES[:2].reshape(2, -1), "labels": LABELS[:2].tolist()},
        "data_batch_2": {"data": IMAGES[2:4].reshape(2, -1), "labels": LABELS[2:4].tolist()},
        "test_batch": {"data": IMAGES[4:].reshape(2, -1), "labels": LABELS[4:].tolist()},
        "batches.meta": {"label_names": [str(number) for number in range(10)]},
    }
    sums = {}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    original = torchvision.datasets.CIFAR10
    batches = [["data_batch_1", sums["data_batch_1"]], ["data_batch_2", sums["data_batch_2"]]]
    monkeypatch.setattr(original, "train_list", batches)
    monkeypatch.setattr(original, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(original, "meta", {**original.meta, "md5": sums["batches.meta"]})
    return folder


@pytest.fixture
def batches(tmp_path, monkeypatch):
    write_batches(tmp_path, monkeypatch)
    return tmp_path


def check_contents(data_dir):
    for split, part in SPLITS.items():
        dataset = load_dataset("cifar10", split, data_dir, download=False)
        np.testing.assert_array_equal(np.rint(dataset.images * 255), IMAGES[part])
        assert dataset.labels.tolist() == LABELS[part].tolist()


def test_archives_are_read(archives):
    check_contents(archives)
    manifest = verify_dataset("cifar10", archives)
    assert manifest["inexact_images"] == {"train": 0, "test": 1}
    assert set(manifest["sha256"]) == {"cifar10/train.npz", "cifar10/test.npz"}


def test_the_original_batches_are_read(batches):
    check_contents(batches)
    manifest = verify_dataset("cifar10", batches)
    assert set(manifest["md5"]) == {
        f"cifar-10-batches-py/{name}"
        for name in ("data_batch_1", "data_batch_2", "test_batch", "batches.meta")
    }


def test_both_forms_of_the_same_images_have_one_digest(archives, batches):
    original = load_dataset("cifar10", "train", batches)
    for file in (batches / "cifar-10-batches-py").iterdir():
        file.unlink()
    (batches / "cifar-10-batches-py").rmdir()
    assert load_dataset("cifar10", "train", archives).digest == original.digest


@pytest.mark.parametrize("damage", ["truncated", "altered"])
@pytest.mark.parametrize("form", ["archives", "batches"])
def test_a_damaged_file_is_named_with_both_checksums(form, damage, request):
    data_dir = request.getfixturevalue(form)
    file = data_dir / (
        "cifar10/train.npz" if form == "archives" else "cifar-10-batches-py/data_batch_2"
    )
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        del content[-10:]
    else:
        content[len(content) // 2] ^= 1
    file.write_bytes(content)
    for use in (
        lambda: verify_dataset("cifar10", data_dir),
        lambda: load_dataset("cifar10", "train", data_dir),
    ):
        with pytest.raises(InputError) as caught:
            use()
        error = caught.value
        assert error.subject == f"data file {file.name} in {file.parent}"
        assert error.found.startswith("checksum")
        assert error.expected.startswith("checksum")
        assert "(3)" in error.mend


def test_a_damaged_batch_is_never_unpickled(batches):
    class Trap:
        def __reduce__(self):
            return (open, (str(batches / "trapped"), "w"))

    (batches / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match="test_batch"):
        load_dataset("cifar10", "train", batches)
    assert not (batches / "trapped").exists()


def test_a_missing_file_is_named(archives, batches):
    (batches / "cifar-10-batches-py" / "data_batch_1").unlink()
    with pytest.raises(InputError, match="data_batch_1"):
        load_dataset("cifar10", "train", batches)
    (batches / "cifar-10-batches-py").rename(batches / "elsewhere")
    (archives / "cifar10" / "train.npz").unlink()
    with pytest.raises(InputError, match=r"train\.npz"):
        load_dataset("cifar10", "train", archives)


def test_nothing_there_and_no_leave_to_download(tmp_path):
    with pytest.raises(InputError, match="cifar-10-batches-py") as caught:
        verify_dataset("cifar10", tmp_path, download=False)
    assert "c58f30108f718f92721af3b95e74349a" in caught.value.expected


def test_the_original_is_downloaded_through_torchvision(tmp_path, monkeypatch):
    def download(self):
        write_batches(tmp_path, monkeypatch)

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", download)
    assert load_dataset("cifar10", "test", tmp_path).labels.tolist() == [1, 3]


def test_a_failed_download_gives_the_reason(tmp_path, monkeypatch):
    def download(self):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", download)
    with pytest.raises(InputError, match="no route to host"):
        load_dataset("cifar10", "test", tmp_path)
