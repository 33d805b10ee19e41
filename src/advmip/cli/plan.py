"""`advmip plan` and `status`: what a scale will cost, and how far its run has come."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advmip.cli.options import CONFIG, WORKFLOW, SettingsFile

if TYPE_CHECKING:
    from advmip.settings import Settings

app = typer.Typer()

Scale = Annotated[str | None, typer.Argument(help="The scale; that of the settings if left out.")]
Results = Annotated[
    Path, typer.Option(help="The folder of results, whose times tell those to come.")
]


@app.command("plan")
def plan(
    scale: Scale = None, settings: SettingsFile = CONFIG, results: Results = Path("results")
) -> None:
    """Say what each table and figure of a scale will cost: jobs, core-hours, memory."""
    from advmip.durability.storage import read_yaml
    from advmip.forecast.forecast import forecast, printed

    chosen = _settings_of(scale, settings)
    outputs = read_yaml(WORKFLOW / "outputs.yaml")
    print(printed(chosen["scale"], *forecast(chosen, outputs, results, WORKFLOW)))


@app.command("status")
def status(
    scale: Scale = None,
    settings: SettingsFile = CONFIG,
    results: Results = Path("results"),
    cores: Annotated[
        int | None, typer.Option(min=1, help="Of the run; those of this machine if left out.")
    ] = None,
) -> None:
    """Say how far the run of a scale has come, at work or stopped: done, left, until when."""
    from advmip.durability.storage import read_yaml
    from advmip.forecast.status import printed, status

    outputs = read_yaml(WORKFLOW / "outputs.yaml")
    found = status(_settings_of(scale, settings), outputs, results, WORKFLOW)
    print(printed(found, cores or os.cpu_count() or 1, datetime.now()))


def _settings_of(scale: str | None, file: Path) -> Settings:
    """The settings of a scale; of that which they name if none is given."""
    from advmip.durability.storage import read_yaml
    from advmip.settings import load_settings

    chosen = load_settings(file, WORKFLOW)
    return chosen if scale is None else load_settings({**read_yaml(file), "scale": scale}, WORKFLOW)
