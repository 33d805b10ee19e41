"""A snapshot: what came out of one scale, small enough to keep with the sources.

The sources of a scale may be kept one by one, as they are made: each has its tables and figures,
its verdicts in `verdicts/`, and a column of `origin.csv`, which says where they come from. From its
rows, in `rows/` with the settings of the run, all of that can be made again; from its journals, in
`journals/`, and the networks that they are about a run goes on elsewhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from advmip.durability.storage import read_yaml, write_atomically, write_text
from advmip.errors import InputError, unknown_name
from advmip.experiments.kept_journals import keep_journals
from advmip.experiments.kept_networks import keep_networks
from advmip.reporting.kept_rows import keep_rows
from advmip.reporting.results_folder import (
    absent_outputs,
    gather_provenance,
    output_names,
    share_of_scale,
)
from advmip.reporting.verdicts import count_verdicts, read_verdicts

_KEPT = {
    "tables": (".csv", ".md", ".tex"),
    "figures": (".csv", ".png", ".pdf"),
}


def write_snapshot(
    results_dir: Path, reference_dir: Path, sources: Sequence[str] | None = None
) -> Path:
    """Copy tables, figures, verdicts, rows, journals and networks, with a README of their origin.

    What an earlier snapshot of the same scale has of these sources is replaced; what it has of
    others stays.

    Args:
        results_dir: The scale's results, complete for these sources.
        reference_dir: The folder of snapshots; the scale's own lies below it.
        sources: Short names of sources, such as "zk"; all of them if left out.

    Returns:
        The snapshot's folder.

    Raises:
        InputError: There is no such source, or a table, a figure or the verdicts are missing;
            nothing is changed then.
    """
    known, chosen = _sources(), _chosen(sources)
    absent = [each for source in chosen for each in absent_outputs(results_dir, f"{source}_")]
    if absent:
        raise InputError(
            subject=f"results {results_dir}",
            found=f"no {', no '.join(absent)}",
            expected="every table and figure",
            mend="make them all first, or name the sources that are complete",
        )
    for source in chosen:
        read_verdicts(_verdicts(results_dir, source))
    target = reference_dir / results_dir.name
    share = f"{share_of_scale(read_yaml(results_dir / 'config.yaml')):g}"
    origin = _origin(target / "origin.csv").drop(columns=chosen, errors="ignore")
    for source in chosen:
        _replace(source, results_dir, target)
        found = gather_provenance(results_dir, source) | {"share of the scale": share}
        origin = origin.join(pd.Series(found, name=source, dtype=str), how="outer")
    keep_networks(results_dir, target)
    origin = origin[[source for source in known if source in origin.columns]]
    with write_atomically(target / "origin.csv") as temporary:
        origin.rename_axis("what").to_csv(temporary)
    write_text(target / "README.md", _readme(target, origin))
    return target


def write_unfinished(
    results_dir: Path, reference_dir: Path, sources: Sequence[str] | None = None
) -> Path:
    """Keep journals and networks of a run that is not finished: it goes on from them elsewhere.

    Args:
        results_dir: The scale's results so far.
        reference_dir: The folder of snapshots.
        sources: Short names of sources; all of them if left out.

    Returns:
        The snapshot's folder.

    Raises:
        InputError: There is no such source.
    """
    target = reference_dir / results_dir.name
    for source in _chosen(sources):
        keep_journals(results_dir, source, target / "journals")
    keep_networks(results_dir, target)
    return target


def _chosen(sources: Sequence[str] | None) -> list[str]:
    """The sources that are named, or all."""
    known = _sources()
    for source in sources or ():
        if source not in known:
            raise unknown_name("source", source, known)
    return list(sources or known)


def _sources() -> list[str]:
    """The short names of all sources, in the order of the report."""
    return list(dict.fromkeys(name.partition("_")[0] for name in output_names()))


def _verdicts(folder: Path, source: str) -> Path:
    return folder / "verdicts" / f"{source}.csv"


def _origin(path: Path) -> pd.DataFrame:
    """What is known of the versions, machine and dates of each source (columns)."""
    if not path.is_file():
        return pd.DataFrame(index=pd.Index([], name="what", dtype=str))
    return pd.read_csv(path, index_col="what", dtype=str, keep_default_na=False)


def _replace(source: str, results_dir: Path, target: Path) -> None:
    """Put the files of a source into the snapshot, and remove those that are no longer made."""
    kept = {each.relative_to(results_dir) for each in _files(results_dir, source)}
    kept.add(_verdicts(Path(), source))
    for relative in kept:
        with write_atomically(target / relative) as temporary:
            shutil.copyfile(results_dir / relative, temporary)
    outputs = [name for name in output_names() if name.startswith(f"{source}_")]
    rows = keep_rows(results_dir, source, outputs, target / "rows" / source)
    keep_journals(results_dir, source, target / "journals")
    for path in [*_files(target, source), *(target / "rows" / source).iterdir()]:
        if path.relative_to(target) not in kept and path not in rows:
            path.unlink()


def _files(folder: Path, source: str) -> list[Path]:
    """The tables and figures of a source that lie in a folder of results."""
    return [
        path
        for kind, suffixes in _KEPT.items()
        for path in (folder / kind).glob(f"{source}_*")
        if path.suffix in suffixes
    ]


def _readme(target: Path, origin: pd.DataFrame) -> str:
    """What the snapshot is, its verdicts, and where each source's part comes from."""
    sources = list(origin.columns)
    verdicts = pd.concat([read_verdicts(_verdicts(target, source)) for source in sources])
    counts = count_verdicts(verdicts)
    tables = sorted(path.name for path in (target / "tables").glob("*.md"))
    figures = sorted(path.name for path in (target / "figures").glob("*.png"))
    links = ", ".join(f"[{source}](verdicts/{source}.csv)" for source in sources)
    return "\n".join(
        [
            f"# Results at scale `{target.name}`",
            "",
            f"Every published value and claim with its verdict, by source: {links}.",
            "",
            "## Verdicts",
            "",
            _markdown([str(name) for name in counts.columns], counts.to_numpy().tolist()),
            "",
            "## Tables",
            "",
            *(f"- [{name}](tables/{name})" for name in tables),
            "",
            "## Figures",
            "",
            *(f"- [{name}](figures/{name})" for name in figures),
            "",
            *_rows_and_journals(target),
            "## Machine, date and versions",
            "",
            _markdown(["what", *sources], origin.fillna("").reset_index().to_numpy().tolist()),
            "",
        ]
    )


def _rows_and_journals(target: Path) -> list[str]:
    """What can be done with the rows and journals that are kept."""
    sources = [source for source in _sources() if (target / "rows" / source).is_dir()]
    if not sources:
        return []
    place, table = f"results/reference/{target.name}", f"{sources[0]}_table1"
    return [
        "## Rows and journals",
        "",
        f"The rows of {', '.join(sources)} are in [rows](rows), with the settings of the run. A",
        f"table is made again by `advmip table {table} --rows {place}/rows --out {table}`;",
        f"`advmip restore {place}` puts journals and networks where a run goes on from them.",
        "",
    ]


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(str(entry) for entry in row)} |" for row in rows)
