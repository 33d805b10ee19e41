"""What the sources declare: whose rows and networks there are, and what decides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from advmip.durability.storage import read_yaml
from advmip.experiments.catalogue import SOURCES, networks, shards_with
from advmip.experiments.outputs import shards_of_output, sources_of
from advmip.experiments.rows import COLUMNS
from advmip.provenance import code_digest
from advmip.settings import load_settings

WORKFLOW = Path(__file__).parents[3] / "workflow"
OUTPUTS = read_yaml(WORKFLOW / "outputs.yaml")
SCALES = [file.stem for file in (WORKFLOW / "scales").glob("*.yaml")]


@pytest.mark.parametrize("scale", SCALES)
def test_an_experiment_on_a_network_is_that_of_one_source(scale: str) -> None:
    settings = load_settings({"scale": scale}, WORKFLOW)
    for output in OUTPUTS.values():
        for experiment, names in output["runs"].items():
            for name in names:
                claims = [source.shards_with(settings, experiment, name) for source in SOURCES]
                assert sum(bool(claim) for claim in claims) <= 1, (experiment, name)
                for shard in shards_with(settings, experiment, name):
                    assert set(shard.kinds) <= COLUMNS.keys()


@pytest.mark.parametrize("scale", SCALES)
def test_each_network_has_a_name_and_a_file_of_its_own(scale: str) -> None:
    settings = load_settings({"scale": scale}, WORKFLOW)
    files = [recipe.weights for recipe in networks(settings).values()]
    assert len(files) == len(set(files))
    assert len(files) == sum(len(source.networks(settings)) for source in SOURCES)


def test_the_lecture_is_judged_by_the_runs_of_the_paper_too() -> None:
    settings = load_settings({}, WORKFLOW)
    assert sources_of(OUTPUTS) == ["zk", "kronqvist", "zhu", "benmhenni", "tjeng", "vnncomp"]
    lecture = shards_of_output(settings, OUTPUTS, "kronqvist")
    assert {shard.name.partition("/")[0] for shard in lecture} == {"zk", "kronqvist"}
    for source in ("zk", "zhu", "benmhenni", "tjeng", "vnncomp"):
        shards = shards_of_output(settings, OUTPUTS, source)
        assert {shard.name.partition("/")[0] for shard in shards} == {source}


@pytest.mark.parametrize("source", SOURCES)
def test_the_code_behind_results_is_there(source: object) -> None:
    for parts in source.CODE.values():  # type: ignore[attr-defined]
        assert code_digest(*parts)
    for recipe in networks(load_settings({}, WORKFLOW)).values():
        assert code_digest(*recipe.code)
