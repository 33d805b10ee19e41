# What the rules share: settings, folders, and the row files that an output is made from.
#
# Of the jobs that could be next the one with the highest priority is: what is ready to be printed (90),
# networks (80), what is quick (70), verification (60), fine-tuning (50), the thesis's attacks (40
# and 35), solvers beside each other (30), retraining (20). A run that is stopped has whole tables that way.

import csv
import os
import sys
from collections import Counter
from pathlib import Path

from snakemake.exceptions import WorkflowError

from advmip.errors import InputError
from advmip.experiments.ben_mhenni import instances as ben_mhenni
from advmip.experiments.tjeng import instances as tjeng
from advmip.experiments.zhu import instances as zhu
from advmip.experiments.zhao_kronqvist.runs import (
    PROTOCOL_NAMES,
    Attack,
    adversarial_folder,
    attacks_of_shard,
    largest_count,
    shard_of,
    shards_of,
)
from advmip.provenance import code_digest
from advmip.reuse import Codes
from advmip.running import begin_run
from advmip.settings import load_settings, save_settings, finetuning_runs_of
from advmip.storage import read_yaml

try:
    SETTINGS = load_settings(config, Path("workflow"))
except InputError as error:
    raise WorkflowError(str(error)) from None

# Those of Zhao & Kronqvist, which may be the released ones, those of Zhu, trained here, and those of
# Ben Mhenni, of which some are published.
NETWORKS = {
    **SETTINGS["networks"],
    **SETTINGS["zhu"]["networks"],
    **SETTINGS["benmhenni"]["networks"],
}
RESULTS = f"results/{SETTINGS['scale']}"
SETTINGS_FILE = f"{RESULTS}/config.yaml"
try:
    CODES = Codes(Path(f"{RESULTS}/code.json"), SETTINGS["reuse"])
except InputError as error:
    raise WorkflowError(str(error)) from None
SETS = f"{RESULTS}/adversarial"
SHARDS = f"{RESULTS}/shards/zk"
ATTACKS = f"{RESULTS}/shards/zhu"
VERIFIED = f"{RESULTS}/shards/tjeng"
VERIFIED_NETWORKS = f"{RESULTS}/networks/verified"
LECTURE = f"{RESULTS}/shards/kronqvist"
BEN_MHENNI = f"{RESULTS}/shards/benmhenni"
RETRAINED = f"{RESULTS}/networks/retrained"
PAPERS = sorted(map(str, Path("workflow/papers").glob("*.yaml")))
# What came out at other scales, for the first page of the report.
KEPT_VERDICTS = sorted(map(str, Path("results/reference").glob("*/verdicts/*.csv")))
OUTPUTS = read_yaml(Path("workflow/outputs.yaml"))
# The sources, each the beginning of its outputs' names; it stands for all of them.
SOURCES = list(dict.fromkeys(name.partition("_")[0] for name in OUTPUTS))
# The lecture reports runs of the paper: whatever seeds there are of them bear on its verdicts.
RUNS_OF = {source: [source] for source in SOURCES} | {"kronqvist": ["kronqvist", "zk"]}
# Ends every command: all it prints is in the log, and on the terminal too if it fails.
LOGGED = " > {log} 2>&1 || (tail -n 30 {log} >&2; exit 1)"
# What decides the accuracies of a network. A rule adds its own shards; jobs run again if they change.
CODE = (
    "datasets",
    "experiments.classifiers",
    "experiments.zhao_kronqvist.columns",
    "gradient_attacks",
    "margins",
    "networks",
)

# What decides the weights of a network that is trained against something.
DEFENDED = (
    "datasets",
    "experiments.defences",
    "gradient_attacks",
    "mip.bounds",
    "mip.certified_training",
    "networks",
)

# Jobs find this interpreter and its packages, whether its environment is activated or not.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)


wildcard_constraints:
    network="|".join([*NETWORKS, *tjeng.trained_networks(SETTINGS)]),
    experiment="|".join(
        name
        for source in ("zk", "zhu", "tjeng")
        for name in SETTINGS[source]["experiments"]
    ),
    method="|".join(zhu.STORED_BOUNDS),
    distance=r"l2-\d+",
    trained_on="[a-z0-9-]+",
    shard=r"\d+",
    output="|".join([*SOURCES, *OUTPUTS]),
    source="|".join(SOURCES),


def is_released(network):
    return SETTINGS["weights"] == "released" and network in SETTINGS["networks"]


def is_published(network):
    """Whether a network comes as a file of others, which holds more than weights."""
    return bool(NETWORKS[network].get("file"))


def training_code(network):
    """The shards of the package that decide a network's weights."""
    method = NETWORKS[network].get("defence", {"method": "none"})["method"]
    return ("datasets", "networks") if method == "none" else DEFENDED


def weights_of(network):
    suffix = "onnx" if is_published(network) else "safetensors"
    return f"{RESULTS}/networks/{NETWORKS[network]['architecture']}.{suffix}"


def network_file(wildcards):
    return weights_of(wildcards.network)


def of_network(*names):
    """Those settings of the job's network that its answer depends on."""
    return lambda wildcards: {
        name: SETTINGS["networks"][wildcards.network][name] for name in names
    }


def sets_behind(wildcards):
    """The folders of adversarial sets that the runs of one job start from."""
    if "experiment" in wildcards.keys():
        runs = shard_of(
            SETTINGS, wildcards.experiment, wildcards.network, int(wildcards.shard)
        )
        attacks = [run.attack for run in runs]
    else:
        attacks = [Attack(protocol, SETTINGS["seed"]) for protocol in PROTOCOL_NAMES]
    folders = [
        adversarial_folder(SETTINGS, Path(SETS), wildcards.network, attack)
        for attack in attacks
    ]
    return list(dict.fromkeys(map(str, folders)))


def row_files(experiment, network):
    """The row files of an experiment on a network; none where the scale leaves it out."""
    if experiment == "illustrations":
        return [f"{BEN_MHENNI}/{experiment}/{network}.csv"]
    if experiment in ben_mhenni.ROWS:
        return [
            f"{BEN_MHENNI}/{experiment}-{shard}/{kind}.csv"
            for shard in ben_mhenni.shards_on(SETTINGS, experiment, network)
            for kind in ben_mhenni.ROWS[experiment]
        ]
    if experiment == "relaxation":
        return [
            f"{LECTURE}/{experiment}/{network}/{kind}.csv"
            for kind in ("neurons", "samples")
        ]
    if experiment == "square":
        return [f"{ATTACKS}/{experiment}/{network}/samples.csv"]
    if network in SETTINGS["zhu"]["networks"]:
        return attack_row_files(experiment, network)
    if experiment in SETTINGS["tjeng"]["experiments"]:
        return verification_row_files(experiment, network)
    folder = f"{SHARDS}/{experiment}/{network}"
    if experiment == "initial":
        return [f"{folder}/evaluations.csv", f"{folder}/timings.csv"]
    if experiment in ("added_data", "adversarial_training"):
        return [f"{folder}/evaluations.csv"]
    return [
        f"{folder}-{shard}/{kind}.csv"
        for shard in range(len(shards_of(SETTINGS, experiment, network)))
        for kind in ("evaluations", "iterations", "pool")
    ]


def attack_row_files(experiment, network):
    """The row files of exact attacks on a network, and of the bounds that they are given."""
    if experiment == "networks":
        return [f"{ATTACKS}/networks/networks.csv"]
    if experiment == "features":
        kinds = ("neurons", "pictures")
        return [f"{ATTACKS}/{experiment}/{network}/{kind}.csv" for kind in kinds]
    if experiment == "accuracies":
        tested = zhu.attacks_of(SETTINGS, zhu.TEST_EXAMPLES, network)
        return [f"{ATTACKS}/accuracies/{network}/accuracies.csv"] if tested else []
    folders = attack_folders(experiment, network)
    files = [f"{folder}/attacks.csv" for folder in folders]
    if not folders:
        return []
    if experiment == "gallery":
        files.append(f"{ATTACKS}/{experiment}/{network}/pictures.csv")
    bounds = bounds_folder(experiment, network)
    return files + [f"{folder}/bounds.csv" for folder in bounds]


def verification_row_files(experiment, network):
    """The row files of those jobs that verify on a network."""
    shards = tjeng.shards_of(SETTINGS, experiment)
    return [
        f"{VERIFIED}/{experiment}-{shard}/verifications.csv"
        for shard, verified in enumerate(shards)
        if any(instance.paper_network == network for instance in verified)
    ]


def verified_files(wildcards):
    """The networks of this scale's own that a job verifies on."""
    shard = wildcards.experiment, int(wildcards.shard)
    files = [
        f"{VERIFIED_NETWORKS}/{name}.safetensors"
        for name in tjeng.behind(SETTINGS, *shard)
    ]
    if wildcards.experiment == tjeng.FINETUNED:
        instances = tjeng.shard_of(SETTINGS, *shard)
        for network in sorted({instance.paper_network for instance in instances}):
            architecture = SETTINGS["networks"][network]["architecture"]
            files.append(f"{RESULTS}/networks/{architecture}.safetensors")
            files.append(f"{VERIFIED_NETWORKS}/{network}-finetuned.safetensors")
    return files


def attack_folders(experiment, network):
    """The folders of an experiment's attacks on a network, one for each job."""
    shards = zhu.shards_of(SETTINGS, experiment, network)
    return [f"{ATTACKS}/{experiment}/{network}-{shard}" for shard in range(len(shards))]


def bounds_folder(experiment, network):
    """The folder of the bounds that an experiment's attacks are given; none for their own."""
    method = zhu.attacks_of(SETTINGS, experiment, network)["bounds"]
    if method not in zhu.STORED_BOUNDS:
        return []
    return [f"{ATTACKS}/bounds/{network}-{method}"]


def retrained_file(network, trained_on):
    return f"{RETRAINED}/{network}-{trained_on}.safetensors"


def attacked_network(wildcards):
    """What the network that a job attacks was retrained on, in a list; none if it was not."""
    shard = zhu.shard_of(
        SETTINGS, wildcards.experiment, wildcards.network, int(wildcards.shard)
    )
    return [shard[0].trained_on] if shard[0].trained_on is not None else []


def examples(experiment, network, distances):
    """The files of the adversarial examples of some distances, with their rows."""
    folders = [
        folder
        for distance in distances
        for folder in zhu.example_folders(
            SETTINGS, Path(ATTACKS), experiment, network, distance
        )
    ]
    return [
        f"{folder}/{name}"
        for folder in dict.fromkeys(folders)
        for name in ("attacks.csv", "adversarial.npz")
    ]


def outputs_of(source):
    """The tables and figures of a source."""
    return [name for name in OUTPUTS if name.startswith(f"{source}_")]


def files_of(*outputs):
    """The files that some tables and figures end in."""
    return [
        f"{RESULTS}/{folder}/{output}.csv"
        for output in outputs
        for folder in OUTPUTS[output]["makes"]
    ]


def rows_behind(wildcards):
    """The row files that an output, or all those of a source, are made from."""
    sources = RUNS_OF.get(wildcards.output, [])
    behind = [output for source in sources for output in outputs_of(source)]
    files = [
        file
        for output in behind or [wildcards.output]
        for experiment, networks in OUTPUTS[output]["runs"].items()
        for network in networks
        for file in row_files(experiment, network)
    ]
    return list(dict.fromkeys(files))


def networks_attacked(trial, number):
    """The weights of the networks that a job of Ben Mhenni's attacks, by their names."""
    shard = ben_mhenni.shard_of(SETTINGS, trial, int(number))
    return {name: weights_of(name) for name in ben_mhenni.networks_of(shard)}


def claim_results():
    """Refuse a second run of the same scale, in a line; jobs of a killed one are waited for."""
    try:
        begin_run(Path(RESULTS), print)
    except InputError as error:
        sys.exit(f"{error.subject}: {error.found}; {error.mend}.")


def summary():
    """One line: the verdicts that have been reached, and where the report is."""
    verdicts, report = Path(f"{RESULTS}/verdicts.csv"), Path(f"{RESULTS}/report.html")
    if not (verdicts.is_file() and report.is_file()):
        return f"Finished: {RESULTS}"
    with verdicts.open(newline="") as file:
        counts = Counter(row["verdict"] for row in csv.DictReader(file))
    reached = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"Verdicts: {reached}. Report: {report}"
