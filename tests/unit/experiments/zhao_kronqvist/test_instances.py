from pathlib import Path

import pytest

from advmip.errors import InputError
from advmip.experiments.zhao_kronqvist.instances import (
    Attack,
    Run,
    adversarial_folder,
    attacks_of,
    attacks_of_shard,
    largest_count,
    shard_of,
    shards_of,
)
from advmip.settings import load_settings

WORKFLOW = Path(__file__).parents[4] / "workflow"


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
    (runs,) = shards_of(settings, "tables", "CNN")
    assert len(runs) == len(set(runs)) == 24
    assert runs[0] == Run(Attack("published", 3), 10, 0.0)
    assert {(run.attack.protocol, run.attack.seed) for run in runs} == {
        ("published", 3),
        ("published", 4),
        ("described", 3),
    }


def test_seeds_count_on_from_the_first():
    settings = settings_with(first_seed=2, seeds={"published": 1, "described": 0})
    (runs,) = shards_of(settings, "tables", "CNN")
    assert {run.attack.seed for run in runs} == {5}


def test_jobs_share_out_the_runs_in_order():
    settings = settings_with(adversarial_counts=[10, 20, 30], runs_per_job=4)
    shards = shards_of(settings, "tables", "CNN")
    assert [len(shard) for shard in shards] == [4, 2]
    assert [run.adversarial_count for shard in shards for run in shard] == [10, 20, 30] * 2
    assert shard_of(settings, "tables", "CNN", 1) == shards[1]


@pytest.mark.parametrize("shard", [-1, 2])
def test_a_job_that_does_not_exist_is_refused(shard):
    settings = settings_with(adversarial_counts=[10, 20, 30], runs_per_job=4)
    with pytest.raises(InputError, match="2 shards"):
        shard_of(settings, "tables", "CNN", shard)


def test_an_experiment_that_the_scale_leaves_out_has_no_runs():
    assert shards_of(load_settings({"scale": "demo"}, WORKFLOW), "algorithm2", "CNN") == []


def test_the_attacks_behind_all_runs_are_made_once_each():
    settings = load_settings({"scale": "demo", "seed": 3}, WORKFLOW)
    jobs = attacks_of(settings, "CNN")
    attacks = [attack for job in jobs for attack in job]
    assert len(attacks) == len(set(attacks))
    wanted = {
        run.attack
        for experiment in settings["zk"]["experiments"]
        for runs in shards_of(settings, experiment, "CNN")
        for run in runs
    }
    assert wanted <= set(attacks)
    assert {Attack("published", 3), Attack("described", 3)} <= set(attacks)


def test_each_adversarial_set_has_a_place_of_its_own():
    settings = load_settings({"scale": "paper"}, WORKFLOW)
    attacks = [attack for job in attacks_of(settings, "CNN") for attack in job]
    places = {
        adversarial_folder(settings, Path("sets"), "CNN", attack) / attack.file_name
        for attack in attacks
    }
    assert len(places) == len(attacks)
    assert Attack("published", 0).file_name != Attack("published", 0, 400).file_name


def test_attacks_are_shared_out_to_jobs():
    changes = {"networks": {"CNN": {"attacks_per_job": 2}}}
    settings = load_settings({"scale": "paper", **changes}, WORKFLOW)
    jobs = attacks_of(settings, "CNN")
    assert all(len(job) == 2 for job in jobs[:-1])
    assert attacks_of_shard(settings, "CNN", 1) == jobs[1]
    with pytest.raises(InputError, match="shards at scale paper"):
        attacks_of_shard(settings, "CNN", len(jobs))


def test_an_attack_serves_the_largest_of_its_runs_and_no_more():
    experiments = {
        "extension2": {"CNN": {"adversarial_counts": [10, 300]}},
        "extension3": {"CNN": {"adversarial_counts": [20], "attacked_images": [400]}},
    }
    settings = load_settings({"scale": "demo", "zk": {"experiments": experiments}}, WORKFLOW)
    assert largest_count(settings, "CNN", Attack("published", 0)) == 300
    assert largest_count(settings, "CNN", Attack("described", 0)) == 50
    assert largest_count(settings, "CNN", Attack("published", 0, 400)) == 20
