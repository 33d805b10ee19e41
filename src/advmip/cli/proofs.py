"""`advmip check-proof`: proofs in files, checked by code that shares nothing with the search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.attacks import DataFolder, Layout

app = typer.Typer()


@app.command("check-proof")
def check_proof(
    proofs: Annotated[list[Path], typer.Argument(help="Files that `advmip verify` wrote, .npz.")],
    network: Annotated[
        Path | None, typer.Option(help="The network; else the file that a proof names.")
    ] = None,
    asked: Annotated[
        str | None,
        typer.Option(
            help="What is to be proved, a property (.vnnlib) or an image; else as the proof says."
        ),
    ] = None,
    layout: Layout = None,
    data_dir: DataFolder = None,
) -> None:
    """Check proofs: every leaf is bounded anew, in float64 with all rounding counted.

    Exit status: 0 if all are proofs, 3 if one is none, else 2 if one cannot be used.
    """
    from advmip.checking_proofs import check_files
    from advmip.errors import exit_status

    raise typer.Exit(exit_status(check_files(proofs, network, asked, layout, data_dir)))
