"""Bad input to the command line: one clear message, a status, and earlier results untouched."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from advmip import cli
from advmip.durability.journal import Journal
from advmip.gradient_attacks import AdversarialSet
from advmip.networks import ARCHITECTURES, load_network, new_network, save_network

PROJECT = Path(__file__).parents[2]
EARLIER = "what an earlier run left\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the workflow's settings, in which commands are run."""
    (tmp_path / "workflow").symlink_to(PROJECT / "workflow")
    (tmp_path / "config.yaml").write_text("scale: demo\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(monkeypatch, capsys):
    """Runs a command that must be refused; gives its message."""

    def run(*arguments, status=2):
        monkeypatch.setattr("sys.argv", ["advmip", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        message = capsys.readouterr().err
        assert stopped.value.code == status, message
        assert "Traceback" not in message
        return message

    return run


def write_network(path, name="digits_cnn", spoil=None):
    network = new_network(ARCHITECTURES[name], seed=0).frozen()
    if spoil is not None:
        spoil(network.body)
    save_network(network, path, {})
    return path


def finetune_arguments(project, network):
    return [
        *("zk", "finetune", "CNN", "--experiment", "tables", "--shard", 0),
        *("--network-file", network, "--adversarial-sets", project / "sets"),
        *("--journal", project / "journal.jsonl", "--out", project / "rows"),
    ]


def write_sets(project, inputs, labels):
    """The same adversarial set under both protocols."""
    points = AdversarialSet(
        inputs=inputs.astype(np.float32),
        labels=labels.astype(np.int64),
        image_indices=np.arange(len(labels)),
        violations=np.ones(len(labels), dtype=np.float32),
    )
    for protocol in ("published", "described"):
        points.save(project / "sets" / "CNN-0" / f"{protocol}-0.npz")


def test_a_misspelt_setting_is_named_with_the_right_one(project, refused):
    (project / "config.yaml").write_text("scale: demo\nsede: 1\n")
    message = refused("data", "verify", "digits", "--out", "digits.json")
    assert "'sede'" in message
    assert "'seed'" in message
    assert not (project / "digits.json").exists()


def test_settings_that_are_no_yaml_are_refused(project, refused):
    (project / "config.yaml").write_text("scale: [demo\n")
    assert "config.yaml" in refused("data", "verify", "digits", "--out", "digits.json")


def test_missing_data_are_named_with_the_ways_to_get_them(project, refused):
    settings = {"scale": "mnist", "data_dir": "nowhere", "download": False}
    (project / "config.yaml").write_text(yaml.safe_dump(settings))
    message = refused("data", "verify", "mnist", "--out", "mnist.json")
    assert "nowhere" in message
    assert "train-images-idx3-ubyte" in message
    assert not (project / "mnist.json").exists()


def test_an_unknown_data_set_is_refused(project, refused):
    assert "digits" in refused("data", "verify", "digit", "--out", "digits.json")


def test_missing_released_weights_are_named(project, refused):
    settings = {"scale": "mnist", "network_dir": "nowhere", "download": False}
    (project / "config.yaml").write_text(yaml.safe_dump(settings))
    message = refused("network", "fetch", "CNN", "--out", "cnn.safetensors")
    assert "nowhere" in message
    assert not (project / "cnn.safetensors").exists()


def test_an_unknown_network_is_refused_with_the_nearest(project, refused):
    network = write_network(project / "cnn.safetensors")
    message = refused("zk", "initial", "CNNlight", "--network-file", network, "--out", "rows")
    assert "CNNLight" in message


def test_a_network_with_nan_weights_is_refused_by_its_layer(project, refused):
    def spoil(body):
        body.fc1.bias[3] = float("nan")

    network = write_network(project / "cnn.safetensors", spoil=spoil)
    message = refused("zk", "initial", "CNN", "--network-file", network, "--out", "rows")
    assert "fc1.bias" in message
    assert "NaN" in message
    assert not (project / "rows").exists()


def test_a_network_of_another_architecture_is_refused(project, refused):
    network = write_network(project / "light.safetensors", "digits_cnn_light")
    message = refused("zk", "initial", "CNN", "--network-file", network, "--out", "rows")
    assert "digits_cnn_light" in message


def test_a_part_that_the_scale_does_not_have_is_refused(project, refused):
    arguments = finetune_arguments(project, write_network(project / "cnn.safetensors"))
    message = refused(*(9 if argument == 0 else argument for argument in arguments))
    assert "shard 9" in message


def test_a_missing_adversarial_set_is_refused(project, refused):
    arguments = finetune_arguments(project, write_network(project / "cnn.safetensors"))
    message = refused(*arguments)
    assert "published-0.npz" in message
    assert not (project / "rows").exists()


def test_an_empty_adversarial_set_leaves_earlier_results_untouched(project, refused):
    (project / "rows").mkdir()
    (project / "rows" / "evaluations.csv").write_text(EARLIER)
    write_sets(project, np.zeros((0, 1, 8, 8)), np.zeros(0))
    arguments = finetune_arguments(project, write_network(project / "cnn.safetensors"))
    message = refused(*arguments)
    assert "adversarial set of 0 points" in message
    assert (project / "rows" / "evaluations.csv").read_text() == EARLIER


def test_points_that_are_classified_correctly_are_refused(project, refused):
    def favour_zero(body):
        body.output.weight.zero_()
        body.output.bias.copy_(body.output.bias.new_tensor([1.0] + [0.0] * 9))

    network = write_network(project / "cnn.safetensors", spoil=favour_zero)
    write_sets(project, np.zeros((50, 1, 8, 8)), np.repeat(np.arange(10), 5))
    message = refused(*finetune_arguments(project, network))
    assert "classifies correctly" in message


def test_a_label_with_too_few_adversarial_points_is_refused(project, refused):
    changes = {"networks": {"CNN": {"attack": {"epsilon": 1e-6, "step": 1e-6}}}}
    (project / "config.yaml").write_text(yaml.safe_dump({"scale": "demo", **changes}))
    network = write_network(project / "cnn.safetensors")
    message = refused(
        *("zk", "adversarial-sets", "CNN", "--shard", 0, "--network-file", network),
        *("--out", "sets"),
    )
    assert "to mend" in message
    assert not (project / "sets").exists()


def test_a_journal_in_use_is_refused(project, refused):
    write_sets(project, np.random.default_rng(0).random((50, 1, 8, 8)), np.repeat(np.arange(10), 5))
    arguments = finetune_arguments(project, write_network(project / "cnn.safetensors"))
    with Journal(project / "journal.jsonl", {}):
        message = refused(*arguments)
    assert "in use by another process" in message


def test_a_failed_check_records_no_answer(project, refused, monkeypatch):
    from advmip.experiments.zhao_kronqvist import finetuning

    honest = finetuning.finetune

    def boasting(*arguments, **options):
        tuned = honest(*arguments, **options)
        tuned.pool["violation"] = tuned.pool["violation"] - 5.0
        return tuned

    monkeypatch.setattr(finetuning, "finetune", boasting)
    shards = {"iterations": 1, "adversarial_counts": [10]}
    changes = {"zk": {"experiments": {"tables": {"CNN": shards}}}}
    (project / "config.yaml").write_text(yaml.safe_dump({"scale": "demo", **changes}))
    network = write_network(project / "cnn.safetensors")
    inputs = np.random.default_rng(0).normal(scale=3.0, size=(1000, 1, 8, 8)).astype(np.float32)
    predicted = load_network(network).body(torch.from_numpy(inputs)).argmax(dim=1).numpy()
    chosen = [np.flatnonzero(predicted != label)[:5] for label in range(10)]
    write_sets(project, inputs[np.concatenate(chosen)], np.repeat(np.arange(10), 5))
    message = refused(*finetune_arguments(project, network), status=3)
    assert "violation" in message
    assert (project / "journal.jsonl").read_text() == ""
    assert not (project / "rows").exists()


def test_an_unknown_table_is_refused_with_the_nearest(project, refused):
    (project / "rows").mkdir()
    message = refused("table", "zk_table22", "--rows", "rows", "--out", "tables/zk_table22")
    assert "zk_table2" in message


def test_rows_of_another_form_are_refused(project, refused):
    (project / "evaluations.csv").write_text("a,b\n1,2\n")
    message = refused("rows", "evaluations.csv", "--out", "joined")
    assert "evaluations.csv" in message
    assert not (project / "joined").exists()


def test_a_manifest_says_what_was_checked(project, monkeypatch):
    monkeypatch.setattr("sys.argv", ["advmip", "data", "verify", "digits", "--out", "digits.json"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    manifest = json.loads((project / "digits.json").read_text())
    assert manifest["counts"] == {"train": 1437, "test": 360}


@pytest.fixture
def ended(monkeypatch, capsys):
    """Runs a command; gives its exit status, what it printed and its messages."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["advmip", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return stopped.value.code, *capsys.readouterr()

    return run


def test_verification_ends_with_a_status_that_says_whether_something_failed(project, ended):
    network = write_network(project / "cnn.safetensors")
    command = ("verify", network, "--epsilon", 1e-9)
    np.save(project / "good.npy", np.random.default_rng(0).random((8, 8)))
    assert ended(*command, "good.npy")[0] == 0
    status, printed, _ = ended(*command, "missing.npy", "good.npy", "digits:3-1")
    assert status == 2
    assert "3 images: " in printed
    assert "2 failed" in printed


@pytest.mark.parametrize("out", ["file/attacked", "folder", ".", "missing/" + "long" * 99])
def test_what_cannot_be_written_is_found_out_before_any_solving(project, refused, out):
    network = write_network(project / "cnn.safetensors")
    np.save(project / "image.npy", np.random.default_rng(0).random((8, 8)))
    (project / "file").write_text(EARLIER)
    (project / "folder.png").mkdir()
    before = set(project.iterdir())
    message = refused("attack", network, "image.npy", "--out", out)
    assert "written" in message
    assert set(project.iterdir()) == before


def test_an_attack_on_an_unfit_image_is_refused(project, refused):
    network = write_network(project / "cnn.safetensors")
    np.save(project / "image.npy", np.full((8, 8), 1.5))
    assert "1.5 at (0, 0, 0)" in refused("attack", network, "image.npy")
    assert "layout" in refused("attack", network, "image.npy", "--layout", "bgr")
