"""Files appear whole or not at all, and equal contents have equal digests."""

import errno
import hashlib
import os

import numpy as np
import pytest

from advmip.durability.storage import (
    array_digest,
    check_writable,
    file_digest,
    write_array,
    write_arrays,
    write_atomically,
)
from advmip.errors import InputError


def test_a_file_appears_with_its_folder_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "new" / "table.csv"
    with write_atomically(target) as temporary:
        temporary.write_text("a,b\n")
        assert not target.exists()
    assert target.read_text() == "a,b\n"
    assert list(target.parent.iterdir()) == [target]


def test_the_temporary_file_keeps_folder_and_suffix(tmp_path):
    with write_atomically(tmp_path / "arrays.npz") as temporary:
        np.savez(temporary, zeros=np.zeros(3))
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".npz")
    assert np.load(tmp_path / "arrays.npz")["zeros"].tolist() == [0, 0, 0]


def test_arrays_are_read_back_as_they_were(tmp_path):
    write_array(tmp_path / "new" / "one.npy", np.arange(3.0))
    write_arrays(tmp_path / "several.npz", rows=np.eye(2), number=0.5)
    assert np.load(tmp_path / "new" / "one.npy").tolist() == [0, 1, 2]
    with np.load(tmp_path / "several.npz") as arrays:
        assert {name: arrays[name].tolist() for name in arrays.files} == {
            "rows": [[1, 0], [0, 1]],
            "number": 0.5,
        }
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new", "several.npz"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failing_writer_leaves_the_earlier_file(tmp_path, error):
    target = tmp_path / "table.csv"
    target.write_text("earlier")

    def fail():
        with write_atomically(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "table.csv"):
        pass
    assert not list(tmp_path.iterdir())


def test_file_digest_is_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()


def test_array_digest_sees_values_shape_type_and_order_of_arrays():
    a, b = np.arange(6, dtype=np.float32), np.ones(2, dtype=np.float32)
    different = {
        array_digest(a, b),
        array_digest(b, a),
        array_digest(a),
        array_digest(a.reshape(2, 3), b),
        array_digest(a.astype(np.float64), b),
        array_digest(a + 1, b),
    }
    assert len(different) == 6


def test_array_digest_ignores_memory_layout_and_byte_order():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert array_digest(np.asfortranarray(a)) == array_digest(a)
    assert array_digest(a.astype(">f4")) == array_digest(a)


def test_whether_a_file_could_be_written_is_found_out_without_a_trace(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    check_writable(tmp_path / "new" / "folders" / "image.npy")
    check_writable(tmp_path / "file")
    for path in ("file/image.npy", "file/new/image.npy", "folder", "long" * 99):
        with pytest.raises(InputError, match="cannot be written"):
            check_writable(tmp_path / path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_full_disk_leaves_the_earlier_file_and_says_what_to_do(tmp_path, number):
    target = tmp_path / "table.csv"
    target.write_text("earlier")

    def fill():
        with write_atomically(target) as temporary:
            temporary.write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(InputError, match=os.strerror(number)):
        fill()
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]
