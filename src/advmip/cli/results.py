"""`advmip rows`, `table`, `figure`, `verdicts`, `report`, `snapshot`, `restore`: rows to pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advmip.cli.options import CONFIG, WORKFLOW, Out, OutFolder, settings_of

if TYPE_CHECKING:
    from advmip.reporting.plan import Plan

app = typer.Typer()

RowsFolder = Annotated[
    Path, typer.Option("--rows", help="The folder of joined rows, or of a snapshot's.")
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="Else those kept beside the rows, or config.yaml."),
]
Papers = Annotated[Path, typer.Option(help="The folder of published values.")]

_PAPERS = WORKFLOW / "papers"
_REFERENCE = Path("results/reference")


@app.command("rows")
def rows(
    out: OutFolder,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Row files of several runs; none where a scale leaves all out."),
    ] = None,
) -> None:
    """Join the rows of several runs, one file of each kind."""
    from advmip.experiments.rows import gather_rows

    gather_rows(files or [], out)


@app.command("table")
def table(
    name: Annotated[str, typer.Argument(help="Such as zk_table2.")],
    rows: RowsFolder,
    out: Annotated[Path, typer.Option(help="The path without .csv, .md and .tex.")],
    settings: SettingsFile = None,
    papers: Papers = _PAPERS,
) -> None:
    """Make a table from rows: CSV, Markdown and LaTeX."""
    from advmip.reporting.tables import write_table

    write_table(name, rows, papers, out, _plan(settings, rows, name))


@app.command("figure")
def figure(
    name: Annotated[str, typer.Argument(help="Such as zk_figure1.")],
    rows: RowsFolder,
    out: Annotated[Path, typer.Option(help="The path without .csv, .png and .pdf.")],
    settings: SettingsFile = None,
    papers: Papers = _PAPERS,
) -> None:
    """Draw a figure from rows: CSV, PNG and PDF."""
    from advmip.reporting.figures import write_figure

    write_figure(name, rows, papers, out, _plan(settings, rows, name))


@app.command("verdicts")
def verdicts(
    source: Annotated[str, typer.Argument(help="zk, kronqvist, zhu, benmhenni, tjeng or vnncomp.")],
    rows: RowsFolder,
    out: Out,
    settings: SettingsFile = None,
    papers: Papers = _PAPERS,
) -> None:
    """Say of each published number and claim of a source whether it was reproduced."""
    from advmip.reporting.verdicts import write_verdicts

    write_verdicts(source, rows, papers, out, _plan(settings, rows, source))


@app.command("all-verdicts")
def all_verdicts(
    files: Annotated[list[Path], typer.Argument(help="The verdicts of each source.")], out: Out
) -> None:
    """Put the verdicts of all sources into one file."""
    from advmip.reporting.verdicts import join_verdicts

    join_verdicts(files, out)


@app.command("report")
def report(
    results: Annotated[Path, typer.Option(help="The folder of one scale's results.")],
    out: Out,
    papers: Papers = _PAPERS,
    reference: Annotated[
        Path, typer.Option(help="The folder of snapshots, for what came out on the real data.")
    ] = _REFERENCE,
) -> None:
    """Put tables, figures and verdicts on one page."""
    from advmip.reporting.report import write_report

    write_report(results, papers, out, reference)


@app.command("snapshot")
def snapshot(
    results: Annotated[Path, typer.Option(help="The folder of one scale's results.")],
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only this source's, beside those that are kept already."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder of snapshots.")] = _REFERENCE,
    unfinished: Annotated[
        bool,
        typer.Option("--unfinished", help="Only what a run goes on from: journals, networks."),
    ] = False,
) -> None:
    """Keep a scale's tables, figures, verdicts, rows, journals and networks to be committed."""
    from advmip.reporting.snapshot import write_snapshot, write_unfinished

    keep = write_unfinished if unfinished else write_snapshot
    print(keep(results, out, sources))


@app.command("restore")
def restore(
    snapshot: Annotated[Path, typer.Argument(help="Such as results/reference/mnist.")],
    results: Annotated[
        Path | None, typer.Option(help="Else results/ and the name of the snapshot.")
    ] = None,
) -> None:
    """Put a snapshot's journals and networks where a run of its scale goes on from them."""
    from advmip.durability.running import begin_run
    from advmip.experiments.kept_journals import restore_journals
    from advmip.experiments.kept_networks import restore_networks

    folder = results or Path("results") / snapshot.name
    begin_run(folder)
    for source, count in restore_journals(snapshot / "journals", folder).items():
        print(f"{source}: {count} finished instances")
    networks = restore_networks(snapshot, folder)
    print(f"networks: {networks.added}")
    for name in networks.others:
        print(f"{folder / name} was here and stays: instances of the kept one count no more")


def _plan(settings: Path | None, rows: Path, name: str) -> Plan:
    """The plan of the scale that rows are from."""
    from advmip.reporting.kept_rows import SETTINGS_FILE, kept_folder
    from advmip.reporting.plan import plan_of
    from advmip.settings import load_settings

    kept = kept_folder(rows, name)
    if settings is None and kept is not None:
        return plan_of(load_settings(kept / SETTINGS_FILE, WORKFLOW))
    return plan_of(settings_of(settings or CONFIG))
