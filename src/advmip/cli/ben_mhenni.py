"""`advmip benmhenni ...`: the runs of Ben Mhenni et al."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import (
    CONFIG,
    Journal,
    OutFolder,
    SettingsFile,
    Shard,
    Threads,
    prepared,
)

app = typer.Typer(help="The runs of Ben Mhenni et al.; each writes rows.", no_args_is_help=True)

NetworkFiles = Annotated[
    list[str], typer.Option("--network", help="A network of the job and its file, NAME=FILE.")
]


@app.command("illustrations")
def illustrations(out: OutFolder, settings: SettingsFile = CONFIG, threads: Threads = None) -> None:
    """Count the networks; make the samples, pictures and the tree that figures explain by."""
    from advmip.experiments.ben_mhenni.illustrations import illustrations

    illustrations(prepared(settings, threads), out)


@app.command("efficiency")
def efficiency(
    shard: Shard,
    networks: NetworkFiles,
    journal: Journal,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the attacks of one job, each by one of the solvers that are compared."""
    from advmip.experiments.ben_mhenni.efficiency import compare_solvers

    chosen = prepared(settings, threads)
    compare_solvers(chosen, shard, _by_name(networks), journal, out)


@app.command("appearance")
def appearance(
    shard: Shard,
    networks: NetworkFiles,
    journal: Journal,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the attacks of one job by every method, and measure how visible they are."""
    from advmip.experiments.ben_mhenni.appearance import visible_attacks

    chosen = prepared(settings, threads)
    visible_attacks(chosen, shard, _by_name(networks), journal, out)


def _by_name(files: list[str]) -> dict[str, Path]:
    """Files by the names before their equals signs."""
    return {name: Path(file) for name, _, file in (each.partition("=") for each in files)}
