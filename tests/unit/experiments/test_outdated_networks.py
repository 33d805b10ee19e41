"""A network of a snapshot counts as long as it was trained as the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from advmip import save_network
from advmip.experiments.catalogue import networks
from advmip.experiments.kept_networks import note_restored, restored_networks
from advmip.experiments.outdated_networks import set_outdated_aside
from advmip.experiments.recipes import made_as
from advmip.experiments.zhu.catalogue import retrained_as
from advmip.networks import ARCHITECTURES, new_network
from advmip.settings import Settings, load_settings

WORKFLOW = Path(__file__).parents[3] / "workflow"
FIRST, RETRAINED = "networks/dnn1.safetensors", "networks/retrained/DNN1-l0.safetensors"


def settings_of(**chosen: object) -> Settings:
    return load_settings({"scale": "overnight", "weights": "trained", **chosen}, WORKFLOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network as first trained and one trained anew, as a tenth of the scale has them."""
    settings = settings_of(share=0.1)
    for name, origin in (
        (FIRST, made_as(networks(settings)["DNN1"], settings["seed"])),
        (RETRAINED, retrained_as(settings)[RETRAINED.removeprefix("networks/")]),
    ):
        save_network(new_network(ARCHITECTURES["dnn1"], seed=0), tmp_path / name, origin)
    note_restored(tmp_path, {FIRST, RETRAINED})
    return tmp_path


def test_what_was_trained_so_stays(folder: Path):
    assert set_outdated_aside(settings_of(share=0.1), folder) == {}
    assert (folder / RETRAINED).is_file()


def test_more_examples_ask_for_another_network(folder: Path):
    aside = folder / f"{RETRAINED}.outdated"
    found = set_outdated_aside(settings_of(), folder)
    assert found == {aside: "added_images 100 in place of 1000"}
    assert aside.is_file()
    assert not (folder / RETRAINED).exists()
    assert (folder / FIRST).is_file()
    assert restored_networks(folder) == {FIRST}


@pytest.mark.parametrize(
    ("chosen", "how"),
    [
        ({"seed": 7}, "seed 0 in place of 7"),
        (
            {"zhu": {"networks": {"DNN1": {"training": {"epochs": 3}}}}},
            "epochs 50 in place of 3",
        ),
    ],
)
def test_so_does_another_training(folder: Path, chosen: dict[str, object], how: str):
    found = set_outdated_aside(settings_of(share=0.1, **chosen), folder)
    assert found[folder / f"{FIRST}.outdated"] == how


def test_a_file_that_says_nothing_of_its_training_stays(folder: Path):
    (folder / RETRAINED).write_bytes(b"no network")
    assert set_outdated_aside(settings_of(), folder) == {}


def test_released_weights_ask_for_another_network(tmp_path: Path):
    settings = settings_of()
    recipe = networks(settings)["CNN"]
    name = f"networks/{recipe.weights}"
    file = tmp_path / name
    note_restored(tmp_path, {name})
    save_network(new_network(ARCHITECTURES["cnn"], seed=0), file, made_as(recipe, settings["seed"]))
    assert set_outdated_aside(settings, tmp_path) == {}
    found = set_outdated_aside(settings_of(weights="released"), tmp_path)
    assert set(found.values()) == {"weights trained in place of released"}


def test_what_was_made_here_is_left_to_snakemake(folder: Path):
    note_restored(folder, {FIRST})
    assert set_outdated_aside(settings_of(), folder) == {}
    assert (folder / RETRAINED).is_file()
