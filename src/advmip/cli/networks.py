"""`advmip network ...`: the networks that experiments start from."""

from __future__ import annotations

import typer

from advmip.cli.options import CONFIG, Out, PaperNetwork, SettingsFile, Threads, prepared

app = typer.Typer(help="The networks that experiments start from.", no_args_is_help=True)


@app.command("train")
def train(
    paper_network: PaperNetwork, out: Out, settings: SettingsFile = CONFIG, threads: Threads = None
) -> None:
    """Train a network from scratch."""
    from advmip.experiments.networks import train_network

    train_network(prepared(settings, threads), paper_network, out)


@app.command("fetch")
def fetch(
    paper_network: PaperNetwork, out: Out, settings: SettingsFile = CONFIG, threads: Threads = None
) -> None:
    """Take the authors' released weights, from the network folder or by download."""
    from advmip.experiments.networks import fetch_network

    fetch_network(prepared(settings, threads), paper_network, out)
