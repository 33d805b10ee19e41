from pathlib import Path

import pytest
import yaml

from advmip.errors import InputError
from advmip.networks import ARCHITECTURES
from advmip.reporting.ben_mhenni.names import twin_of
from advmip.settings import finetuning_runs_of, load_settings, save_settings

PROJECT = Path(__file__).parents[2]
WORKFLOW = PROJECT / "workflow"
SCALES = sorted(file.stem for file in (WORKFLOW / "scales").glob("*.yaml"))


def schemas():
    for file in sorted((WORKFLOW / "schemas").glob("*.yaml")):
        yield file.stem, yaml.safe_load(file.read_text())


def described_keys(schema, place):
    """Every key of a schema file, with what describes it."""
    for key, described in schema.get("properties", {}).items():
        yield f"{place}.{key}", described
        yield from described_keys(described, f"{place}.{key}")
    for name, definition in schema.get("$defs", {}).items():
        yield from described_keys(definition, f"{place}.{name}")


@pytest.mark.parametrize("scale", SCALES)
def test_a_scale_is_completed_with_defaults(scale):
    settings = load_settings({"scale": scale}, WORKFLOW)
    assert settings["zk"]["omega"] == [0.0, 0.2, 0.4]
    assert settings["networks"]["CNN"]["attack"].keys() == {"epsilon", "step", "iterations"}
    assert finetuning_runs_of(settings, "tables", "ResNet8")["fixed_ratio"] == 0.0


@pytest.mark.parametrize("scale", SCALES)
def test_stored_settings_are_settings_again(scale, tmp_path):
    settings = load_settings({"scale": scale}, WORKFLOW)
    save_settings(settings, tmp_path / "config.yaml")
    assert load_settings(tmp_path / "config.yaml", WORKFLOW) == settings


@pytest.mark.parametrize("scale", SCALES)
def test_networks_are_of_known_architectures_on_their_own_data(scale):
    settings = load_settings({"scale": scale}, WORKFLOW)
    networks = {
        **settings["networks"],
        **settings["zhu"]["networks"],
        **settings["benmhenni"]["networks"],
    }
    for paper_network, chosen in networks.items():
        architecture = ARCHITECTURES[chosen["architecture"]]
        published, _ = twin_of(paper_network)
        assert (architecture.paper_name, architecture.dataset) == (published, chosen["dataset"])


def test_the_schema_knows_the_architectures_that_exist():
    by_file = dict(schemas())
    sources = ("zhu", "ben_mhenni", "tjeng")
    others = [by_file[f"{source}.schema"]["$defs"]["network"] for source in sources]
    networks = [by_file["network.schema"], *others]
    known = [name for each in networks for name in each["properties"]["architecture"]["enum"]]
    assert sorted(name for name in known if name is not None) == sorted(ARCHITECTURES)


def test_the_scale_of_the_paper_is_the_papers():
    settings = load_settings({"scale": "paper"}, WORKFLOW)
    for network in settings["networks"].values():
        images = ("training_images", "attacked_images", "test_images")
        assert [network[name] for name in images] == [None, None, None]
    for network, shards in settings["zk"]["experiments"]["tables"].items():
        assert shards["adversarial_counts"] == [10, 20, 30, 40, 50], network
        assert shards["iterations"] == 20
    assert finetuning_runs_of(settings, "algorithm2", "ResNet8")["fixed_ratio"] == 0.8
    for experiment in ("basic", "exact", "weaker"):
        for network, attacks in settings["zhu"]["experiments"][experiment].items():
            assert (attacks["images"], attacks["time_limit"]) == (100, 300), network
            assert (attacks["distances"], attacks["gap"]) == (["l1"], 1e-4)
    compared = settings["benmhenni"]["experiments"]["efficiency"]["networks"]
    for network, attacks in compared.items():
        # Table 3 over fifty images, Figure 7 over ten.
        images = 10 if network in ("MNIST-3x100", "MNIST-9x200") else 50
        assert (attacks["images"], attacks["time_limit"]) == (images, 1000), network


def test_the_scale_of_a_night_has_the_papers_limits():
    night, paper = (load_settings({"scale": name}, WORKFLOW) for name in ("overnight", "paper"))
    assert night["weights"] == "released"
    # What the extension compares is ours alone.
    of_the_thesis = set(night["zhu"]["experiments"]) - {"interval"}
    for experiment in (each for each in of_the_thesis if not each.startswith("without")):
        for network, attacks in night["zhu"]["experiments"][experiment].items():
            published = paper["zhu"]["experiments"][experiment][network]
            for decisive in ("time_limit", "gap", "bounds", "formulation"):
                assert attacks[decisive] == published[decisive], (experiment, network)
    compared = night["benmhenni"]["experiments"]["efficiency"]["networks"]
    published = paper["benmhenni"]["experiments"]["efficiency"]["networks"]
    assert {twin_of(network)[0] for network in compared} == published.keys()
    for twin, attacks in compared.items():
        network, _ = twin_of(twin)
        ours = attacks["time_limit_by_solver"].get("branch-and-bound", attacks["time_limit"])
        assert ours == published[network]["time_limit"], network
        assert set(attacks["distances"]) == set(published[network]["distances"]), network
    for network in ("CNNLight", "CNN"):
        assert finetuning_runs_of(night, "tables", network) == finetuning_runs_of(
            paper, "tables", network
        )


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (
            {"zhu": {"experiments": {"exact": {"DNN1": {"images_by_distance": {"l3": 2}}}}}},
            "zhu.experiments.exact.DNN1.images_by_distance",
        ),
        (
            {
                "benmhenni": {
                    "experiments": {
                        "efficiency": {
                            "networks": {"MNIST-3x50": {"time_limit_by_solver": {"cplex": 9}}}
                        }
                    }
                }
            },
            "benmhenni.experiments.efficiency.networks.MNIST-3x50.time_limit_by_solver",
        ),
    ],
)
def test_a_name_that_stands_for_none_is_refused_where_it_is_a_key(given, place):
    with pytest.raises(InputError, match=r"cplex|l3") as caught:
        load_settings(given, WORKFLOW)
    assert caught.value.subject == f"setting {place}"


def by_name(name):
    return dict(schemas())[name]


def test_every_key_has_a_description_and_a_default():
    # What stands for a network or an experiment that a scale leaves out has no default.
    optional = {"CNNLight", "CNN", "ResNet8", "DNN1", "DNN2", "DNN3", "DNN4", "DNN5"}
    optional |= set(by_name("ben_mhenni.schema")["properties"]["networks"]["properties"])
    optional |= {"MNIST-classifier", "LPd-cnn-0.1", "Adv-mlp-0.1", "LPd-cnn-0.3", "LPd-res"}
    benchmarks = by_name("vnncomp.schema")["properties"]["benchmarks"]
    optional |= set(benchmarks["properties"])
    for file, schema in schemas():
        for place, described in described_keys(schema, file):
            assert described.get("description"), place
            assert "default" in described or place.endswith(tuple(optional)), place


def test_every_mapping_of_a_schema_refuses_unknown_keys():
    for file, schema in schemas():
        for place, described in [(file, schema), *described_keys(schema, file)]:
            if "properties" in described:
                assert described["additionalProperties"] is False, place


def test_the_users_settings_win_over_the_scales(tmp_path):
    changes = {"zk": {"experiments": {"tables": {"CNN": {"adversarial_counts": [30]}}}}}
    settings = load_settings({"scale": "demo", "seed": 4, **changes}, WORKFLOW)
    plain = load_settings({"scale": "demo"}, WORKFLOW)
    assert settings["seed"] == 4
    assert finetuning_runs_of(settings, "tables", "CNN")["adversarial_counts"] == [30]
    assert finetuning_runs_of(settings, "tables", "CNNLight") == finetuning_runs_of(
        plain, "tables", "CNNLight"
    )


def test_null_leaves_out_what_the_scale_has():
    compared = {"efficiency": {"networks": {"MNIST-ConvMed": None}}}
    plain = load_settings({"scale": "overnight"}, WORKFLOW)["benmhenni"]
    less = load_settings(
        {"scale": "overnight", "share": 0.1, "benmhenni": {"experiments": compared}}, WORKFLOW
    )["benmhenni"]
    left_out = (
        plain["experiments"]["efficiency"]["networks"].keys()
        - less["experiments"]["efficiency"]["networks"].keys()
    )
    assert left_out == {"MNIST-ConvMed"}
    assert less["networks"] == plain["networks"]


def test_what_was_left_out_does_not_come_back_with_stored_settings(tmp_path):
    compared = {"efficiency": {"networks": {"MNIST-3x100": None}}}
    settings = load_settings(
        {"scale": "overnight", "benmhenni": {"experiments": compared}}, WORKFLOW
    )
    save_settings(settings, tmp_path / "config.yaml")
    assert load_settings(tmp_path / "config.yaml", WORKFLOW) == settings


def test_a_share_of_a_scale_has_a_share_of_its_instances_and_seeds():
    settings = load_settings({"scale": "overnight", "share": 0.1}, WORKFLOW)
    whole = load_settings({"scale": "overnight"}, WORKFLOW)
    attacks, all_attacks = (each["zhu"]["experiments"] for each in (settings, whole))
    assert all_attacks["progressive"]["DNN3"]["images_by_distance"]["l2-41"] == 50
    assert attacks["progressive"]["DNN3"]["images_by_distance"]["l2-41"] == 5
    # One mapping of the file is that of three networks: its share is taken once.
    half = load_settings({"scale": "overnight", "share": 0.5}, WORKFLOW)
    for network in ("DNN1", "DNN2", "DNN3"):
        assert half["zhu"]["experiments"]["interval"][network]["images"] == 5
    assert attacks["interval"]["DNN4"]["images"] == 1
    assert settings["vnncomp"]["benchmarks"]["rl_benchmarks_2022"]["instances"] == 30
    assert finetuning_runs_of(half, "extension1", "CNN")["seeds"] == {
        "published": 2,
        "described": 0,
    }
    assert (
        attacks["interval"]["DNN4"]["time_limit"] == all_attacks["interval"]["DNN4"]["time_limit"]
    )
    assert settings["networks"] == whole["networks"]


def test_a_share_that_is_a_whole_number_is_not_rounded_up():
    settings = load_settings({"scale": "overnight", "share": 0.07}, WORKFLOW)
    assert settings["zhu"]["experiments"]["basic"]["DNN1"]["images"] == 7


def test_the_share_of_stored_settings_is_not_taken_again(tmp_path):
    settings = load_settings({"scale": "overnight", "share": 0.1}, WORKFLOW)
    save_settings(settings, tmp_path / "config.yaml")
    assert load_settings(tmp_path / "config.yaml", WORKFLOW) == settings


@pytest.mark.parametrize(
    ("given", "found", "nearest"),
    [
        ({"sede": 1}, "'sede'", "'seed'"),
        ({"scale": "dmeo"}, "'dmeo'", "'demo'"),
        ({"zk": {"omga": [0.5]}}, "'omga'", "'omega'"),
        ({"networks": {"CNN": {"attack": {"epsilom": 0.1}}}}, "'epsilom'", "'epsilon'"),
        ({"zk": {"experiments": {"tables": {"CNN": {"seed": {}}}}}}, "'seed'", "'seeds'"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(given, found, nearest):
    with pytest.raises(InputError) as caught:
        load_settings(given, WORKFLOW)
    assert found in caught.value.found
    assert nearest in caught.value.mend


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"weights": "borrowed"}, "weights"),
        ({"networks": {"CNN": {"attack": {"epsilon": 0}}}}, "networks.CNN.attack.epsilon"),
        (
            {"zk": {"experiments": {"tables": {"CNN": {"adversarial_counts": [15]}}}}},
            "zk.experiments.tables.CNN.adversarial_counts.0",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_place(given, place):
    with pytest.raises(InputError) as caught:
        load_settings(given, WORKFLOW)
    assert caught.value.subject == f"setting {place}"


@pytest.mark.parametrize("text", ["- a\n- b\n", "scale: [demo\n", ""])
def test_a_file_that_is_no_mapping_is_refused(text, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"config\.yaml"):
        load_settings(file, WORKFLOW)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_settings(tmp_path / "config.yaml", WORKFLOW)


def test_unchanged_settings_leave_the_stored_file_untouched(tmp_path):
    file = tmp_path / "config.yaml"
    settings = load_settings({"scale": "demo"}, WORKFLOW)
    save_settings(settings, file)
    before = file.stat().st_mtime_ns
    save_settings(settings, file)
    assert file.stat().st_mtime_ns == before
