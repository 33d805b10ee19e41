"""The command line, `advmip ...`: it reads what the user typed and calls the library.

Commands import what they need when they run: starting torch for a table would take longer than
making it.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from advmip.errors import CheckError, InputError
from advmip.settings import Settings, load_settings
from advmip.storage import write_atomically

_WRONG_INPUT = 2
_WORKFLOW = Path("workflow")
_PAPERS = _WORKFLOW / "papers"

app = typer.Typer(
    help="Adversarial robustness of ReLU networks by mathematical programming.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="Data sets.", no_args_is_help=True)
network = typer.Typer(help="The networks that experiments start from.", no_args_is_help=True)
zk = typer.Typer(help="The runs of Zhao & Kronqvist; each writes rows.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(network, name="network")
app.add_typer(zk, name="zk")
zhu = typer.Typer(help="The runs of Zhu's thesis; each writes rows.", no_args_is_help=True)
app.add_typer(zhu, name="zhu")
kronqvist = typer.Typer(help="The example of Kronqvist's lecture.", no_args_is_help=True)
app.add_typer(kronqvist, name="kronqvist")
benmhenni = typer.Typer(
    help="The runs of Ben Mhenni et al.; each writes rows.", no_args_is_help=True
)
app.add_typer(benmhenni, name="benmhenni")
tjeng = typer.Typer(help="The runs of Tjeng's poster; each writes rows.", no_args_is_help=True)
app.add_typer(tjeng, name="tjeng")

PaperNetwork = Annotated[str, typer.Argument(help="CNNLight, CNN or ResNet8.")]
ThesisNetwork = Annotated[str, typer.Argument(help="DNN1 to DNN5.")]
SettingsFile = Annotated[
    Path, typer.Option("--settings", help="config.yaml, or the copy beside results.")
]
NetworkFile = Annotated[Path, typer.Option(help="The network's weights.")]
AdversarialSets = Annotated[Path, typer.Option(help="The folder of adversarial sets.")]
ExactAttacksFolder = Annotated[Path, typer.Option(help="The folder of exact attacks.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Instead of the settings' threads.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]
OutFolder = Annotated[Path, typer.Option("--out", help="The folder of row files to write.")]
RowsFolder = Annotated[Path, typer.Option("--rows", help="The folder of joined rows.")]
Papers = Annotated[Path, typer.Option(help="The folder of published values.")]
JobOfAttacks = Annotated[int, typer.Option("--part", help="Which of the experiment's jobs.")]
NetworkFiles = Annotated[
    list[str], typer.Option("--network", help="A network of the job and its file, NAME=FILE.")
]
AttackJournal = Annotated[Path, typer.Option(help="The record of finished attacks.")]

_CONFIG = Path("config.yaml")


@app.command("attack")
def attack(
    network_file: Annotated[Path, typer.Argument(help="A network: .onnx, .safetensors or .npz.")],
    image: Annotated[Path, typer.Argument(help="An image: .npy in [0, 1], or a picture.")],
    distance: Annotated[
        str, typer.Option(help="l0, l1, l2, l2-K (K breakpoints), linf, tv, tv-isotropic or l1+tv.")
    ] = "linf",
    target: Annotated[int | None, typer.Option(help="The class to reach; else any other.")] = None,
    label: Annotated[int | None, typer.Option(help="The true class; else the network's.")] = None,
    ratio: Annotated[float, typer.Option(help="By which factor the winner must win.")] = 1.0,
    formulation: Annotated[
        str, typer.Option(help="big-m, big-m-output, indicator or partition.")
    ] = "big-m",
    bounds: Annotated[
        str, typer.Option(help="progressive, exact, weaker, lp, interval or none.")
    ] = "progressive",
    solver: Annotated[
        str, typer.Option(help="auto, gurobi, scip, highs, branch-and-bound or mipverify.")
    ] = "auto",
    time_limit: Annotated[float, typer.Option(help="Seconds.")] = 300.0,
    threads: Annotated[int, typer.Option(min=1, help="Of the solver.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the search and the solver.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Where to write the attacked image, without .npy and .png.")
    ] = Path("attacked"),
) -> None:
    """Find the nearest image that the network classifies otherwise, with proof."""
    from advmip.provenance import use_threads
    from advmip.single_attack import attack_image

    use_threads(threads)
    attack_image(
        network_file,
        image,
        out,
        label=label,
        distance=distance,
        target=target,
        ratio=ratio,
        formulation=formulation,
        bounds=bounds,
        solver=solver,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
    )


@app.command("verify")
def verify_command(
    network_file: Annotated[Path, typer.Argument(help="A network: .onnx, .safetensors or .npz.")],
    images: Annotated[
        list[str],
        typer.Argument(help="Images: .npy in [0, 1], pictures, or test images such as mnist:0-99."),
    ],
    epsilon: Annotated[float, typer.Option(help="The radius of the ball, above 0.")] = 0.1,
    norm: Annotated[str, typer.Option(help="linf, l1 or l2.")] = "linf",
    label: Annotated[
        int | None, typer.Option(help="The true class of files; else the network's.")
    ] = None,
    solver: Annotated[str, typer.Option(help="auto, gurobi, scip or highs.")] = "auto",
    time_limit: Annotated[float, typer.Option(help="Seconds for each image.")] = 300.0,
    threads: Annotated[int, typer.Option(min=1, help="Of the solver.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the attack and the solver.")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="The folder of data sets; else the user's cache.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder to write adversarial images to, .npy.")
    ] = None,
) -> None:
    """Prove that no image within a radius is classified otherwise, or find one that is."""
    from advmip.memory import keep_freed_memory
    from advmip.provenance import use_threads
    from advmip.verifying_images import verify_images

    use_threads(threads)
    keep_freed_memory()
    verify_images(
        network_file,
        images,
        out,
        label=label,
        data_dir=data_dir,
        epsilon=epsilon,
        norm=norm,
        solver=solver,
        time_limit=time_limit,
        threads=threads,
        seed=seed,
    )


@data.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="digits, shapes, mnist or cifar10.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
) -> None:
    """Check a data set's files against their checksums, and write what was found as JSON."""
    from advmip.datasets import verify_dataset

    chosen = load_settings(settings, _WORKFLOW)
    manifest = verify_dataset(name, Path(chosen["data_dir"]), chosen["download"])
    with write_atomically(out) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


@network.command("train")
def train(
    paper_network: PaperNetwork, out: Out, settings: SettingsFile = _CONFIG, threads: Threads = None
) -> None:
    """Train a network from scratch."""
    from advmip.experiments.networks import train_network

    train_network(_prepared(settings, threads), paper_network, out)


@network.command("fetch")
def fetch(
    paper_network: PaperNetwork, out: Out, settings: SettingsFile = _CONFIG, threads: Threads = None
) -> None:
    """Take the authors' released weights, from the network folder or by download."""
    from advmip.experiments.networks import fetch_network

    fetch_network(_prepared(settings, threads), paper_network, out)


@zk.command("initial")
def zk_initial(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Attack a network as it is, and take and time its training loss."""
    from advmip.experiments.zhao_kronqvist.attacks import initial

    initial(_prepared(settings, threads), paper_network, network_file, out)


@zk.command("adversarial-sets")
def zk_adversarial_sets(
    paper_network: PaperNetwork,
    part: Annotated[int, typer.Option(help="Which of the jobs that attack this network.")],
    network_file: NetworkFile,
    out: Annotated[Path, typer.Option(help="The folder of the job's sets.")],
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Attack the training images and keep the worst of each label."""
    from advmip.experiments.zhao_kronqvist.attacks import adversarial_sets

    adversarial_sets(_prepared(settings, threads), paper_network, part, network_file, out)


@zk.command("finetune")
def zk_finetune(
    paper_network: PaperNetwork,
    experiment: Annotated[str, typer.Option(help="A key of zk.experiments in the settings.")],
    part: Annotated[int, typer.Option(help="Which of the experiment's jobs on this network.")],
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    journal: Annotated[Path, typer.Option(help="Where finished runs are recorded.")],
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Do the fine-tuning runs of one job; goes on where a killed one was."""
    from advmip.experiments.zhao_kronqvist.finetuning import finetuning_runs

    finetuning_runs(
        _prepared(settings, threads),
        experiment,
        paper_network,
        part,
        network_file,
        adversarial_sets,
        journal,
        out,
    )


@zk.command("added-data")
def zk_added_data(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Train from scratch with adversarial examples among the training images."""
    from advmip.experiments.zhao_kronqvist.retraining import added_data

    added_data(_prepared(settings, threads), paper_network, network_file, adversarial_sets, out)


@zk.command("adversarial-training")
def zk_adversarial_training(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Train from scratch on what PGD makes of every batch."""
    from advmip.experiments.zhao_kronqvist.retraining import adversarial_training

    adversarial_training(_prepared(settings, threads), paper_network, network_file, out)


@zhu.command("networks")
def zhu_networks(
    networks: Annotated[Path, typer.Option(help="The folder of the networks' weights.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Say what the networks are like, and how many test images they classify correctly."""
    from advmip.experiments.zhu.networks import describe_networks

    describe_networks(_prepared(settings, threads), networks, out)


@zhu.command("bounds")
def zhu_bounds(
    paper_network: ThesisNetwork,
    method: Annotated[str, typer.Argument(help="lp, weaker or exact.")],
    network_file: NetworkFile,
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Bound all neurons of a network over the whole box of images, once for all attacks."""
    from advmip.experiments.zhu.bounds import bounds_of_network

    bounds_of_network(_prepared(settings, threads), paper_network, method, network_file, out)


@zhu.command("attacks")
def zhu_attacks(
    paper_network: ThesisNetwork,
    experiment: Annotated[str, typer.Option(help="A key of zhu.experiments in the settings.")],
    part: Annotated[int, typer.Option(help="Which of the experiment's jobs on this network.")],
    network_file: NetworkFile,
    journal: Annotated[Path, typer.Option(help="The record of finished attacks.")],
    out: OutFolder,
    bounds_file: Annotated[Path | None, typer.Option(help="Bounds of the network.")] = None,
    retrained_file: Annotated[
        Path | None, typer.Option(help="The weights of the retrained network to attack instead.")
    ] = None,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Do the exact attacks of one job."""
    from advmip.experiments.zhu.attacks import exact_attacks

    exact_attacks(
        _prepared(settings, threads),
        experiment,
        paper_network,
        part,
        network_file,
        bounds_file,
        journal,
        out,
        retrained_file,
    )


@zhu.command("gallery")
def zhu_gallery(
    paper_network: ThesisNetwork,
    folders: Annotated[list[Path], typer.Argument(help="Folders of attacks and their images.")],
    network_file: NetworkFile,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Put originals and attacked images into rows, each checked again."""
    from advmip.experiments.zhu.gallery import gallery

    gallery(_prepared(settings, threads), paper_network, network_file, folders, out)


@zhu.command("features")
def zhu_features(
    paper_network: ThesisNetwork,
    network_file: NetworkFile,
    journal: Annotated[Path, typer.Option(help="The record of finished neurons.")],
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Find the image that excites each neuron most."""
    from advmip.experiments.zhu.features import features

    features(_prepared(settings, threads), paper_network, network_file, journal, out)


@zhu.command("square")
def zhu_square(
    distance: Annotated[str, typer.Argument(help="l2-K, with K breakpoints.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Compare the square with its approximation by straight lines."""
    from advmip.experiments.zhu.square import square

    square(_prepared(settings, threads), distance, out)


@zhu.command("retrain")
def zhu_retrain(
    paper_network: ThesisNetwork,
    trained_on: Annotated[str, typer.Argument(help="The distance of the examples, or none.")],
    attacks: ExactAttacksFolder,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Train a network anew, with exact adversarial examples among its training images."""
    from advmip.experiments.zhu.retraining import retrain

    retrain(_prepared(settings, threads), paper_network, trained_on, attacks, out)


@zhu.command("accuracies")
def zhu_accuracies(
    paper_network: ThesisNetwork,
    network_file: NetworkFile,
    retrained: Annotated[Path, typer.Option(help="The folder of the retrained networks.")],
    attacks: ExactAttacksFolder,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Classify adversarial test examples by a network and by its retrained forms."""
    from advmip.experiments.zhu.retraining import accuracies

    accuracies(_prepared(settings, threads), paper_network, network_file, retrained, attacks, out)


@kronqvist.command("two-nodes")
def kronqvist_two_nodes(
    out: OutFolder, settings: SettingsFile = _CONFIG, threads: Threads = None
) -> None:
    """Bound the two nodes and their output, in the model and in its relaxation."""
    from advmip.experiments.kronqvist.two_nodes import two_nodes

    two_nodes(_prepared(settings, threads), out)


@benmhenni.command("network")
def benmhenni_network(
    paper_network: Annotated[str, typer.Argument(help="Such as MNIST-3x50.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Take a published network from the network folder, if it is the one that it should be."""
    from advmip.experiments.ben_mhenni.victims import copy_published

    copy_published(_prepared(settings, threads), paper_network, out)


@benmhenni.command("illustrations")
def benmhenni_illustrations(
    out: OutFolder, settings: SettingsFile = _CONFIG, threads: Threads = None
) -> None:
    """Count the networks; make the samples, pictures and the tree that figures explain by."""
    from advmip.experiments.ben_mhenni.illustrations import illustrations

    illustrations(_prepared(settings, threads), out)


@benmhenni.command("efficiency")
def benmhenni_efficiency(
    part: JobOfAttacks,
    networks: NetworkFiles,
    journal: AttackJournal,
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Do the attacks of one job, each by one of the solvers that are compared."""
    from advmip.experiments.ben_mhenni.efficiency import compare_solvers

    chosen = _prepared(settings, threads)
    compare_solvers(chosen, part, _by_name(networks), journal, out)


@benmhenni.command("appearance")
def benmhenni_appearance(
    part: JobOfAttacks,
    networks: NetworkFiles,
    journal: AttackJournal,
    out: OutFolder,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Do the attacks of one job by every method, and measure how visible they are."""
    from advmip.experiments.ben_mhenni.appearance import attacks_to_look_at

    chosen = _prepared(settings, threads)
    attacks_to_look_at(chosen, part, _by_name(networks), journal, out)


@tjeng.command("train")
def tjeng_train(
    paper_network: Annotated[str, typer.Argument(help="A key of tjeng.networks.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Train a network against attacks, or so that proofs succeed."""
    from advmip.experiments.tjeng.networks import train_robust_network

    train_robust_network(_prepared(settings, threads), paper_network, out)


@tjeng.command("finetune")
def tjeng_finetune(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Fine-tune a network by cutting planes, and keep it, to be verified."""
    from advmip.experiments.tjeng.networks import finetune_network

    finetune_network(
        _prepared(settings, threads), paper_network, network_file, adversarial_sets, out
    )


@tjeng.command("verify")
def tjeng_verify(
    experiment: Annotated[str, typer.Argument(help="A key of tjeng.experiments.")],
    part: Annotated[int, typer.Option(help="Which of the experiment's jobs.")],
    networks: Annotated[Path, typer.Option(help="The folder of all networks.")],
    journal: Annotated[Path, typer.Option(help="The record of finished verifications.")],
    out: Out,
    settings: SettingsFile = _CONFIG,
    threads: Threads = None,
) -> None:
    """Do the verifications of one job."""
    from advmip.experiments.tjeng.verifications import verifications

    verifications(_prepared(settings, threads), experiment, part, networks, journal, out)


@app.command("rows")
def rows(
    out: OutFolder,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Row files of several runs; none where a scale leaves all out."),
    ] = None,
) -> None:
    """Join the rows of several runs, one file of each kind."""
    from advmip.experiments.rows import gather_rows

    gather_rows(files or [], out)


@app.command("table")
def table(
    name: Annotated[str, typer.Argument(help="Such as zk_table2.")],
    rows: RowsFolder,
    out: Annotated[Path, typer.Option(help="The path without .csv, .md and .tex.")],
    settings: SettingsFile = _CONFIG,
    papers: Papers = _PAPERS,
) -> None:
    """Make a table from rows: CSV, Markdown and LaTeX."""
    from advmip.reporting.plan import plan_of
    from advmip.reporting.tables import write_table

    write_table(name, rows, papers, out, plan_of(load_settings(settings, _WORKFLOW)))


@app.command("figure")
def figure(
    name: Annotated[str, typer.Argument(help="Such as zk_figure1.")],
    rows: RowsFolder,
    out: Annotated[Path, typer.Option(help="The path without .csv, .png and .pdf.")],
    settings: SettingsFile = _CONFIG,
    papers: Papers = _PAPERS,
) -> None:
    """Draw a figure from rows: CSV, PNG and PDF."""
    from advmip.reporting.figures import write_figure
    from advmip.reporting.plan import plan_of

    write_figure(name, rows, papers, out, plan_of(load_settings(settings, _WORKFLOW)))


@app.command("verdicts")
def verdicts(
    rows: RowsFolder, out: Out, settings: SettingsFile = _CONFIG, papers: Papers = _PAPERS
) -> None:
    """Say of each published number and claim whether it was reproduced."""
    from advmip.reporting.plan import plan_of
    from advmip.reporting.verdicts import write_verdicts

    write_verdicts(rows, papers, out, plan_of(load_settings(settings, _WORKFLOW)))


@app.command("report")
def report(
    results: Annotated[Path, typer.Option(help="The folder of one scale's results.")],
    out: Out,
    papers: Papers = _PAPERS,
) -> None:
    """Put tables, figures and verdicts on one page."""
    from advmip.reporting.report import write_report

    write_report(results, papers, out)


@app.command("snapshot")
def snapshot(
    results: Annotated[Path, typer.Option(help="The folder of one scale's results, complete.")],
    out: Annotated[Path, typer.Option(help="The folder of snapshots.")] = Path("results/reference"),
) -> None:
    """Keep tables, figures and verdicts of a scale where they are committed."""
    from advmip.reporting.snapshot import write_snapshot

    print(write_snapshot(results, out))


def main() -> None:
    """Run the command; what the user can mend is one message and exit code 2, no traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        app()
    except (InputError, CheckError) as error:
        print(error, file=sys.stderr)
        sys.exit(_WRONG_INPUT)


def _by_name(files: list[str]) -> dict[str, Path]:
    """Files by the names before their equals signs."""
    return {name: Path(file) for name, _, file in (each.partition("=") for each in files)}


def _prepared(settings_file: Path, threads: int | None) -> Settings:
    """The settings, with this process's threads set as they say and its memory kept."""
    from advmip.memory import keep_freed_memory
    from advmip.provenance import use_threads

    settings = load_settings(settings_file, _WORKFLOW)
    if threads is not None:
        settings["threads"] = threads
    use_threads(settings["threads"])
    keep_freed_memory()
    return settings
