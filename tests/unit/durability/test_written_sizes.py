"""What was cut short since it was written is found, and nothing else is removed."""

import pytest

from advmip.durability import written_sizes
from advmip.durability.storage import write_text
from advmip.durability.written_sizes import note_sizes, remove_shortened


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder whose files this process notes."""
    monkeypatch.setattr(written_sizes, "_noted", [])
    note_sizes(tmp_path)
    return tmp_path


def test_a_shortened_file_is_removed_and_the_others_stay(folder):
    names = ["rows/attacks.csv", "rows/empty.csv", "with a space.csv"]
    for name in names:
        write_text(folder / name, "" if "empty" in name else "a,b\n1,2\n")
    (folder / "by another program.csv").write_text("a")
    assert remove_shortened(folder) == []
    (folder / names[0]).write_text("a,b\n")
    assert remove_shortened(folder) == [folder / names[0]]
    assert not (folder / names[0]).exists()
    assert all((folder / name).exists() for name in (*names[1:], "by another program.csv"))
    # Made again, in whatever length, it is whole.
    write_text(folder / names[0], "a\n")
    assert remove_shortened(folder) == []


def test_a_file_that_was_about_to_be_replaced_is_whole(folder):
    write_text(folder / "rows.csv", "short\n")
    written_sizes.note_size(folder / "rows.csv", 1000)  # and killed before it was in place
    assert remove_shortened(folder) == []
    assert (folder / "rows.csv").read_text() == "short\n"


def test_a_damaged_list_removes_nothing(folder):
    write_text(folder / "rows.csv", "a,b\n")
    with (folder / ".sizes").open("ab") as file:
        file.write(b"1000 ro\n\xff\n99\n\n12")
    assert remove_shortened(folder) == []


def test_other_folders_are_not_noted(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write_text(elsewhere / "rows.csv", "a\n")
    assert not (folder / ".sizes").exists()
    assert not (elsewhere / ".sizes").exists()
    assert remove_shortened(elsewhere) == []
