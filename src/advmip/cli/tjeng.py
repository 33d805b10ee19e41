"""`advmip tjeng ...`: the runs of Tjeng's poster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import (
    CONFIG,
    AdversarialSets,
    Journal,
    NetworkFile,
    Out,
    PaperNetwork,
    SettingsFile,
    Shard,
    Threads,
    prepared,
)

app = typer.Typer(help="The runs of Tjeng's poster; each writes rows.", no_args_is_help=True)


@app.command("finetune")
def finetune(
    paper_network: PaperNetwork,
    network_file: NetworkFile,
    adversarial_sets: AdversarialSets,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Fine-tune a network by cutting planes, and keep it, to be verified."""
    from advmip.experiments.tjeng.networks import finetune_network

    finetune_network(
        prepared(settings, threads), paper_network, network_file, adversarial_sets, out
    )


@app.command("verify")
def verify(
    experiment: Annotated[str, typer.Argument(help="A key of tjeng.experiments.")],
    shard: Shard,
    networks: Annotated[Path, typer.Option(help="The folder of all networks.")],
    journal: Journal,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the verifications of one job."""
    from advmip.experiments.tjeng.verifications import verifications

    verifications(prepared(settings, threads), experiment, shard, networks, journal, out)
