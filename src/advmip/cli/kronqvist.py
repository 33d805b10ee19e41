"""`advmip kronqvist ...`: the example of Kronqvist's lecture."""

from __future__ import annotations

import typer

from advmip.cli.options import CONFIG, OutFolder, SettingsFile, Threads, prepared

app = typer.Typer(help="The example of Kronqvist's lecture.", no_args_is_help=True)


@app.command("two-nodes")
def two_nodes(out: OutFolder, settings: SettingsFile = CONFIG, threads: Threads = None) -> None:
    """Bound the two nodes and their output, in the model and in its relaxation."""
    from advmip.experiments.kronqvist.two_nodes import two_nodes

    two_nodes(prepared(settings, threads), out)
