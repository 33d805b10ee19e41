"""`advmip plan`: what a scale will cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advmip.cli.options import CONFIG, WORKFLOW, SettingsFile

app = typer.Typer()


@app.command("plan")
def plan(
    scale: Annotated[
        str | None, typer.Argument(help="The scale; that of the settings if left out.")
    ] = None,
    settings: SettingsFile = CONFIG,
    results: Annotated[
        Path, typer.Option(help="The folder of results, whose times tell those to come.")
    ] = Path("results"),
) -> None:
    """Say what each table and figure of a scale will cost: jobs, core-hours, memory."""
    from advmip.forecast.forecast import forecast, printed
    from advmip.settings import load_settings
    from advmip.storage import read_yaml

    chosen = load_settings(settings, WORKFLOW)
    if scale is not None:
        chosen = load_settings({**read_yaml(settings), "scale": scale}, WORKFLOW)
    outputs = read_yaml(WORKFLOW / "outputs.yaml")
    print(printed(chosen["scale"], *forecast(chosen, outputs, results, WORKFLOW)))
