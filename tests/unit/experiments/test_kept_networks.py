"""Networks in a snapshot: trained once, they are the same networks on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from advmip import load_network, save_network
from advmip.errors import InputError
from advmip.experiments.kept_networks import keep_networks, restore_networks
from advmip.networks import ARCHITECTURES, new_network
from advmip.reporting.snapshot import write_unfinished

FIRST, RETRAINED = "networks/digits_dnn1.safetensors", "networks/retrained/DNN1-l1.safetensors"
BOUNDS = "shards/zhu/bounds/DNN1-exact/bounds.npz"


def put_network(results: Path, name: str, seed: int) -> str:
    """A network's file, and its digest."""
    network = new_network(ARCHITECTURES["digits_dnn1"], seed=seed)
    save_network(network, results / name, {})
    return network.digest


def put_bounds(results: Path, digest: str, content: bytes) -> None:
    (results / BOUNDS).parent.mkdir(parents=True)
    (results / BOUNDS).write_bytes(content)
    (results / BOUNDS).with_name("bounds.csv").write_text(f"network_digest\n{digest[:16]}\n")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A scale with a data set, two networks, and bounds of one."""
    folder = tmp_path / "results" / "demo"
    put_network(folder, RETRAINED, seed=1)
    put_bounds(folder, put_network(folder, FIRST, seed=0), b"bounds")
    (folder / "datasets").mkdir()
    (folder / "datasets" / "digits.json").write_text("{}")
    (folder / "networks" / "published.onnx").write_bytes(b"copied from where it was published")
    return folder


@pytest.fixture
def kept(results: Path, tmp_path: Path) -> Path:
    keep_networks(results, tmp_path / "kept")
    return tmp_path / "kept"


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}


def test_what_was_trained_or_bounded_is_there_again(results: Path, kept: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    restored = restore_networks(kept, elsewhere)
    assert (restored.added, restored.others) == (2, ())
    names = files_of(elsewhere) - {".sizes", ".restored"}
    assert files_of(results) - names == {"networks/published.onnx"}
    assert all((elsewhere / name).read_bytes() == (results / name).read_bytes() for name in names)
    assert load_network(elsewhere / FIRST).digest == load_network(results / FIRST).digest
    assert len({(elsewhere / name).stat().st_mtime_ns for name in names}) == 1
    assert restore_networks(kept, elsewhere).added == 0


def test_another_network_stays_and_has_not_the_bounds_of_the_kept_one(kept: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    digest = put_network(elsewhere, FIRST, seed=7)
    restored = restore_networks(kept, elsewhere)
    assert (restored.added, restored.others) == (1, (FIRST,))
    assert load_network(elsewhere / FIRST).digest == digest
    assert not (elsewhere / BOUNDS).parent.exists()


def test_the_same_network_gets_its_bounds_unless_it_has_others(kept: Path, tmp_path: Path):
    bounded = tmp_path / "bounded"
    for folder in (bounded, tmp_path / "unbounded"):
        digest = put_network(folder, FIRST, seed=0)
    put_bounds(bounded, digest, b"others")
    assert restore_networks(kept, tmp_path / "unbounded").others == ()
    assert (tmp_path / "unbounded" / BOUNDS).read_bytes() == b"bounds"
    assert restore_networks(kept, bounded).others == (BOUNDS,)
    assert (bounded / BOUNDS).read_bytes() == b"others"


def test_what_a_later_run_has_not_stays_kept(results: Path, tmp_path: Path):
    target = write_unfinished(results, tmp_path / "reference")
    later = tmp_path / "later" / "demo"
    digest = put_network(later, RETRAINED, seed=2)
    assert write_unfinished(later, tmp_path / "reference") == target
    restore_networks(target, tmp_path / "elsewhere")
    assert load_network(tmp_path / "elsewhere" / RETRAINED).digest == digest
    assert (tmp_path / "elsewhere" / FIRST).read_bytes() == (results / FIRST).read_bytes()


def test_a_damaged_archive_is_named_and_nothing_changed(kept: Path, tmp_path: Path):
    (archive,) = kept.iterdir()
    archive.write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"networks\.tar\.xz"):
        restore_networks(kept, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
    assert restore_networks(tmp_path / "nowhere", tmp_path / "elsewhere").added == 0
