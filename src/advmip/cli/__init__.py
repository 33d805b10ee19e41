"""The command line, `advmip ...`: it reads what the user typed and calls the library.

Commands import what they need when they run: starting torch for a table would take longer than
making it.
"""

from __future__ import annotations

import logging
import sys
from importlib import metadata
from typing import Annotated

import typer

from advmip.cli import (
    attacks,
    ben_mhenni,
    data,
    kronqvist,
    networks,
    plan,
    proofs,
    results,
    robustify,
    tjeng,
    vnncomp,
    vnnlib,
    zhao_kronqvist,
    zhu,
)
from advmip.durability.running import follow_run
from advmip.errors import CheckError, InputError, exit_status
from advmip.extras import extra_of, missing

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(attacks.app)
app.add_typer(proofs.app)
app.add_typer(vnnlib.app)
app.add_typer(robustify.app)
app.add_typer(data.app, name="data")
app.add_typer(networks.app, name="network")
app.add_typer(zhao_kronqvist.app, name="zk")
app.add_typer(zhu.app, name="zhu")
app.add_typer(kronqvist.app, name="kronqvist")
app.add_typer(ben_mhenni.app, name="benmhenni")
app.add_typer(tjeng.app, name="tjeng")
app.add_typer(vnncomp.app, name="competition")
app.add_typer(plan.app)
app.add_typer(results.app)


@app.callback(invoke_without_command=True)
def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    name: Annotated[bool, typer.Option("--name", help="Print the name.")] = False,
) -> None:
    """Adversarial robustness of ReLU networks by mathematical programming."""
    if version or name:
        print(metadata.version("advmip") if version else "advmip")
        raise typer.Exit


def main() -> None:
    """Run the command; what the user can mend is one message and no traceback.

    The exit status is 0 where all went well, 2 for input that cannot be used, and 3 for an answer
    that failed its check; of many images, 3 if there is one of those, else 2.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    follow_run()
    try:
        _run()
    except (InputError, CheckError) as error:
        print(error, file=sys.stderr)
        sys.exit(exit_status([error]))


def _run() -> None:
    """Run the command; one of the suite has its packages, or says how they are installed.

    Raises:
        InputError: A package of an extra is missing.
    """
    try:
        app()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if extra_of(package) is None:
            raise
        raise missing(package, "this command") from error
