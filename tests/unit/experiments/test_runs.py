from pathlib import Path

import pytest

from advmip.errors import InputError
from advmip.experiments.runs import Run, adversarial_file, part_of, parts_of
from advmip.settings import load_settings

WORKFLOW = Path(__file__).parents[3] / "workflow"


def settings_with(**shards):
    experiments = {"tables": {"CNN": shards}}
    return load_settings({"scale": "demo", "seed": 3, "zk": {"experiments": experiments}}, WORKFLOW)


def test_runs_cover_protocols_seeds_counts_images_and_radii():
    settings = settings_with(
        adversarial_counts=[10, 20],
        attacked_images=[None, 400],
        radii=[0.0, 0.5],
        seeds={"published": 2, "described": 1},
    )
    (runs,) = parts_of(settings, "tables", "CNN")
    assert len(runs) == len(set(runs)) == 24
    assert runs[0] == Run("published", 3, 10, None, 0.0)
    assert {(run.protocol, run.seed) for run in runs} == {
        ("published", 3),
        ("published", 4),
        ("described", 3),
    }


def test_seeds_count_on_from_the_first():
    settings = settings_with(first_seed=2, seeds={"published": 1, "described": 0})
    (runs,) = parts_of(settings, "tables", "CNN")
    assert {run.seed for run in runs} == {5}


def test_jobs_share_out_the_runs_in_order():
    settings = settings_with(adversarial_counts=[10, 20, 30], runs_per_job=4)
    parts = parts_of(settings, "tables", "CNN")
    assert [len(part) for part in parts] == [4, 2]
    assert [run.adversarial_count for part in parts for run in part] == [10, 20, 30] * 2
    assert part_of(settings, "tables", "CNN", 1) == parts[1]


@pytest.mark.parametrize("part", [-1, 2])
def test_a_job_that_does_not_exist_is_refused(part):
    settings = settings_with(adversarial_counts=[10, 20, 30], runs_per_job=4)
    with pytest.raises(InputError, match="2 parts"):
        part_of(settings, "tables", "CNN", part)


def test_an_experiment_that_the_scale_leaves_out_has_no_runs():
    assert parts_of(load_settings({"scale": "demo"}, WORKFLOW), "algorithm2", "CNN") == []


def test_protocols_seeds_and_numbers_of_images_have_files_of_their_own():
    names = {
        adversarial_file(Path("sets"), "CNN", protocol, seed, images)
        for protocol in ("published", "described")
        for seed in (0, 1)
        for images in (None, 400)
    }
    assert len(names) == 8
