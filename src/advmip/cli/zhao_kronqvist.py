"""`advmip zk ...`: the runs of Zhao & Kronqvist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import (
    CONFIG,
    AdversarialSets,
    Experiment,
    Journal,
    NetworkFile,
    Out,
    OutFolder,
    PaperNetwork,
    SettingsFile,
    Shard,
    Threads,
    prepared,
)

app = typer.Typer(help="The runs of Zhao & Kronqvist; each writes rows.", no_args_is_help=True)


@app.command("initial")
def initial(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Attack a network as it is, and take and time its training loss."""
    from advmip.experiments.zhao_kronqvist.attacks import initial

    initial(prepared(settings, threads), paper_network, network_file, out)


@app.command("adversarial-sets")
def adversarial_sets(
    paper_network: PaperNetwork,
    shard: Shard,
    network_file: NetworkFile,
    out: Annotated[Path, typer.Option(help="The folder of the job's sets.")],
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Attack the training images and keep the worst of each label."""
    from advmip.experiments.zhao_kronqvist.attacks import adversarial_sets

    adversarial_sets(prepared(settings, threads), paper_network, shard, network_file, out)


@app.command("finetune")
def finetune(
    paper_network: PaperNetwork,
    experiment: Experiment,
    shard: Shard,
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    journal: Journal,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the fine-tuning runs of one job; goes on where a killed one was."""
    from advmip.experiments.zhao_kronqvist.finetuning import finetuning_runs

    finetuning_runs(
        prepared(settings, threads),
        experiment,
        paper_network,
        shard,
        network_file,
        adversarial_sets,
        journal,
        out,
    )


@app.command("robustify")
def robustify(
    paper_network: PaperNetwork,
    experiment: Experiment,
    shard: Shard,
    network_file: NetworkFile,
    journal: Journal,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the runs of one job that go on until images are proved; goes on where one was killed."""
    from advmip.experiments.zhao_kronqvist.certified_runs import certified_runs

    chosen = prepared(settings, threads)
    certified_runs(chosen, experiment, paper_network, shard, network_file, journal, out)


@app.command("added-data")
def added_data(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Train from scratch with adversarial examples among the training images."""
    from advmip.experiments.zhao_kronqvist.retraining import added_data

    added_data(prepared(settings, threads), paper_network, network_file, adversarial_sets, out)


@app.command("adversarial-training")
def adversarial_training(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Train from scratch on what PGD makes of every batch."""
    from advmip.experiments.zhao_kronqvist.retraining import adversarial_training

    adversarial_training(prepared(settings, threads), paper_network, network_file, out)
