"""`advmip vnncomp` and `advmip supports`: the competition's benchmarks, and what can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("vnncomp")
def vnncomp(
    instances: Annotated[
        Path, typer.Argument(help="A .csv of network, property, seconds; paths relative to it.")
    ],
    results: Annotated[Path, typer.Option(help="The .csv of answers to write.")] = Path(
        "results.csv"
    ),
    jobs: Annotated[int, typer.Option(min=1, help="Instances at a time.")] = 1,
    timeout_factor: Annotated[
        float, typer.Option(help="Times the seconds of each instance, above 0.")
    ] = 1.0,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for an instance at most; none if left out.")
    ] = None,
    solver: Annotated[str, typer.Option(help="auto, gurobi, scip or highs.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the attack and the solver.")] = 0,
) -> None:
    """Answer every instance of a VNN-COMP benchmark, each within its own time.

    What is finished stays: a run that was stopped goes on where it was. Exit status: 0 if no
    instance ended in an error, else 2.
    """
    from advmip.vnncomp import run_benchmark

    whole = run_benchmark(
        instances,
        results,
        jobs=jobs,
        timeout_factor=timeout_factor,
        time_limit=time_limit,
        solver=solver,
        seed=seed,
    )
    raise typer.Exit(0 if whole else 2)


@app.command(
    "supports", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def supports(context: typer.Context) -> None:
    """Say what can be asked, as the standard of VNN-LIB 2 has it: --onnx-operators and others."""
    from advmip.errors import looked_up
    from advmip.vnnlib_standard import CAPABILITIES

    for name in context.args or [""]:
        print(*looked_up("capability", name.removeprefix("--"), CAPABILITIES)(), sep="\n")
