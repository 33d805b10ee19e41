"""`advmip data ...`: data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import CONFIG, Out, SettingsFile, settings_of
from advmip.durability.storage import write_text

app = typer.Typer(help="Data sets.", no_args_is_help=True)


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(help="digits, shapes, mnist or cifar10.")],
    out: Out,
    settings: SettingsFile = CONFIG,
) -> None:
    """Check a data set's files against their checksums, and write what was found as JSON."""
    from advmip.datasets import verify_dataset

    chosen = settings_of(settings)
    manifest = verify_dataset(name, Path(chosen["data_dir"]), chosen["download"])
    write_text(out, json.dumps(manifest, indent=2) + "\n")
