"""`advmip robustify`: fine-tuning until chosen images are proved robust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.attacks import DataFolder, Label, Layout, NetworkFile, Seed, SolverThreads

app = typer.Typer()


@app.command("robustify")
def robustify(
    network_file: NetworkFile,
    images: Annotated[
        list[str],
        typer.Argument(help="Images, as `advmip verify` takes them, such as mnist-train:0-49."),
    ],
    epsilon: Annotated[float, typer.Option(help="The radius of the balls, L-infinity.")] = 0.1,
    out: Annotated[
        Path, typer.Option(help="The new network, .safetensors; what belongs to it is beside it.")
    ] = Path("robustified.safetensors"),
    cuts: Annotated[
        str, typer.Option(help="certificates, of whole balls, or points, that win.")
    ] = "certificates",
    iterations: Annotated[int, typer.Option(help="How many projections at most.")] = 50,
    omega: Annotated[
        float, typer.Option(help="The weight of the training loss in the choice, 0 to 1.")
    ] = 0.0,
    margin: Annotated[
        float | None, typer.Option(help="By which the cuts ask classes to lead, in logits.")
    ] = None,
    loss_slack: Annotated[float, typer.Option(help="By which the training loss may rise.")] = 0.0,
    unfit: Annotated[
        str,
        typer.Option(help="refuse or leave-out: images misclassified, or too near to each other."),
    ] = "refuse",
    repair: Annotated[
        bool, typer.Option("--repair", help="Make images right, too, that are misclassified.")
    ] = False,
    time_limit: Annotated[
        float, typer.Option(help="Processor seconds in which iterations are begun.")
    ] = 1800.0,
    separation_time_limit: Annotated[
        float, typer.Option(help="Seconds for each verdict in an iteration; 0: linear forms alone.")
    ] = 5.0,
    image_time_limit: Annotated[
        float, typer.Option(help="Seconds for each verdict at the end.")
    ] = 60.0,
    solver: Annotated[str, typer.Option(help="auto, gurobi, scip or highs.")] = "auto",
    threads: SolverThreads = 1,
    seed: Seed = 0,
    label: Label = None,
    data: Annotated[
        str | None, typer.Option(help="The data set of loss and accuracy; else the network's.")
    ] = None,
    data_dir: DataFolder = None,
    layout: Layout = None,
    journal: Annotated[
        Path | None, typer.Option(help="The record of iterates; else beside the new network.")
    ] = None,
) -> None:
    """Change a network as little as possible until images are proved robust.

    A run that was stopped goes on from its journal.
    """
    from advmip.robustifying import robustify_file

    robustify_file(
        network_file,
        images,
        out,
        data=data,
        data_dir=data_dir,
        label=label,
        layout=layout,
        journal=journal,
        epsilon=epsilon,
        cuts=cuts,
        iterations=iterations,
        omega=omega,
        margin=margin,
        loss_slack=loss_slack,
        unfit=unfit,
        repair=repair,
        time_limit=time_limit,
        separation_time_limit=separation_time_limit,
        image_time_limit=image_time_limit,
        solver=solver,
        threads=threads,
        seed=seed,
    )
