"""`advmip zhu ...`: the runs of Zhu's thesis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import (
    CONFIG,
    Experiment,
    Journal,
    NetworkFile,
    Out,
    OutFolder,
    SettingsFile,
    Shard,
    Threads,
    prepared,
)

app = typer.Typer(help="The runs of Zhu's thesis; each writes rows.", no_args_is_help=True)

ThesisNetwork = Annotated[str, typer.Argument(help="DNN1 to DNN5.")]
ShardsFolder = Annotated[Path, typer.Option(help="The folder of row files, by job.")]


@app.command("networks")
def networks(
    networks: Annotated[Path, typer.Option(help="The folder of the networks' weights.")],
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Say what the networks are like, and how many test images they classify correctly."""
    from advmip.experiments.zhu.networks import describe_networks

    describe_networks(prepared(settings, threads), networks, out)


@app.command("bounds")
def bounds(
    paper_network: ThesisNetwork,
    method: Annotated[str, typer.Argument(help="lp, weaker or exact.")],
    network_file: NetworkFile,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Bound all neurons of a network over the whole box of images, once for all attacks."""
    from advmip.experiments.zhu.bounds import bounds_of_network

    bounds_of_network(prepared(settings, threads), paper_network, method, network_file, out)


@app.command("attacks")
def attacks(
    paper_network: ThesisNetwork,
    experiment: Experiment,
    shard: Shard,
    network_file: NetworkFile,
    journal: Journal,
    out: OutFolder,
    bounds_file: Annotated[Path | None, typer.Option(help="Bounds of the network.")] = None,
    retrained_file: Annotated[
        Path | None, typer.Option(help="The weights of the retrained network to attack instead.")
    ] = None,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Do the exact attacks of one job."""
    from advmip.experiments.zhu.attacks import exact_attacks

    exact_attacks(
        prepared(settings, threads),
        experiment,
        paper_network,
        shard,
        network_file,
        bounds_file,
        journal,
        out,
        retrained_file,
    )


@app.command("gallery")
def gallery(
    paper_network: ThesisNetwork,
    network_file: NetworkFile,
    shards: ShardsFolder,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Put originals and attacked images into rows, each checked again."""
    from advmip.experiments.zhu.gallery import gallery

    gallery(prepared(settings, threads), paper_network, network_file, shards, out)


@app.command("features")
def features(
    paper_network: ThesisNetwork,
    network_file: NetworkFile,
    journal: Journal,
    out: OutFolder,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Find the image that excites each neuron most."""
    from advmip.experiments.zhu.features import features

    features(prepared(settings, threads), paper_network, network_file, journal, out)


@app.command("square")
def square(
    distance: Annotated[str, typer.Argument(help="l2-K, with K breakpoints.")],
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Compare the square with its approximation by straight lines."""
    from advmip.experiments.zhu.square import square

    square(prepared(settings, threads), distance, out)


@app.command("retrain")
def retrain(
    paper_network: ThesisNetwork,
    trained_on: Annotated[str, typer.Argument(help="The distance of the examples, or none.")],
    shards: ShardsFolder,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Train a network anew, with exact adversarial examples among its training images."""
    from advmip.experiments.zhu.retraining import retrain

    retrain(prepared(settings, threads), paper_network, trained_on, shards, out)


@app.command("accuracies")
def accuracies(
    paper_network: ThesisNetwork,
    network_file: NetworkFile,
    retrained: Annotated[Path, typer.Option(help="The folder of the retrained networks.")],
    shards: ShardsFolder,
    out: Out,
    settings: SettingsFile = CONFIG,
    threads: Threads = None,
) -> None:
    """Classify adversarial test examples by a network and by its retrained forms."""
    from advmip.experiments.zhu.retraining import accuracies

    accuracies(prepared(settings, threads), paper_network, network_file, retrained, shards, out)
