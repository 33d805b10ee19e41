"""`advmip network ...`: the networks that experiments start from."""

from __future__ import annotations

from typing import Annotated

import typer

from advmip.cli.options import CONFIG, Out, SettingsFile, Threads, prepared

AnyNetwork = Annotated[
    str, typer.Argument(help="The source's name, such as CNN, DNN1, MNIST-3x50 or LPd-cnn-0.1.")
]

app = typer.Typer(help="The networks that experiments start from.", no_args_is_help=True)


@app.command("train")
def train(
    paper_network: AnyNetwork, out: Out, settings: SettingsFile = CONFIG, threads: Threads = None
) -> None:
    """Train a network from scratch, against attacks if the settings say so."""
    from advmip.experiments.networks import train_network

    train_network(prepared(settings, threads), paper_network, out)


@app.command("fetch")
def fetch(
    paper_network: AnyNetwork, out: Out, settings: SettingsFile = CONFIG, threads: Threads = None
) -> None:
    """Take the authors' released weights, from the network folder or by download."""
    from advmip.experiments.networks import fetch_network

    fetch_network(prepared(settings, threads), paper_network, out)


@app.command("copy")
def copy(
    paper_network: AnyNetwork, out: Out, settings: SettingsFile = CONFIG, threads: Threads = None
) -> None:
    """Take a published network from the network folder, if it is the one that it should be."""
    from advmip.experiments.networks import copy_network

    copy_network(prepared(settings, threads), paper_network, out)
