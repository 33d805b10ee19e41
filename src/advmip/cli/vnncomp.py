"""`advmip competition ...`: the benchmarks of VNN-COMP, as rows beside the published answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import CONFIG, Journal, OutFolder, SettingsFile, Shard, Threads, prepared

app = typer.Typer(help="The benchmarks of VNN-COMP; answers become rows.", no_args_is_help=True)


@app.command("answer")
def answer(
    benchmark: Annotated[str, typer.Argument(help="A key of vnncomp.benchmarks.")],
    shard: Shard,
    networks: Annotated[Path, typer.Option(help="The folder of all networks.")],
    journal: Journal,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Answer the instances of one job, each within its own time."""
    from advmip.experiments.vnncomp.answers import benchmark_answers

    benchmark_answers(prepared(settings, threads), benchmark, shard, networks, journal, out)
