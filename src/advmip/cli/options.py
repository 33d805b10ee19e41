"""What the commands share: their options, and the settings that they run under."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advmip.durability.running import WORKFLOW_VARIABLE

if TYPE_CHECKING:
    from advmip.settings import Settings

CONFIG = Path("config.yaml")
WORKFLOW = Path(os.environ.get(WORKFLOW_VARIABLE, "workflow"))

PaperNetwork = Annotated[str, typer.Argument(help="CNNLight, CNN or ResNet8.")]
SettingsFile = Annotated[
    Path, typer.Option("--settings", help="config.yaml, or the copy beside results.")
]
NetworkFile = Annotated[Path, typer.Option(help="The network's weights.")]
AdversarialSets = Annotated[Path, typer.Option(help="The folder of adversarial sets.")]
Experiment = Annotated[str, typer.Option(help="One of the source's experiments in the settings.")]
Shard = Annotated[int, typer.Option(help="Which of the experiment's jobs, from 0.")]
Journal = Annotated[Path, typer.Option(help="The record of finished instances.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Instead of the settings' threads.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]
OutFolder = Annotated[Path, typer.Option("--out", help="The folder of row files to write.")]


def settings_of(file: Path) -> Settings:
    """The complete settings that a file asks for."""
    from advmip.settings import load_settings

    return load_settings(file, WORKFLOW)


def prepared(file: Path, threads: int | None) -> Settings:
    """The settings, with this process's threads set as they say and its memory kept."""
    from advmip.memory import keep_freed_memory
    from advmip.threads import use_threads

    settings = settings_of(file)
    if threads is not None:
        settings["threads"] = threads
    use_threads(settings["threads"])
    keep_freed_memory()
    return settings
