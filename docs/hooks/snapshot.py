"""What came out of each source, from the committed snapshots, in place of marks in the pages.

`<!-- verdicts -->` becomes the verdicts of all sources, counted; `<!-- came out: zk -->` those of
one source, its claims, figures and tables. Each source is taken from the largest scale that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from advmip.reporting.judging import Verdict

_ROOT = Path(__file__).parents[2]
_SNAPSHOTS = _ROOT / "results" / "reference"
_SCALES = ("paper", "overnight", "mnist", "demo")
_SOURCES = ("zk", "kronqvist", "zhu", "benmhenni", "tjeng", "vnncomp")
_NOT_COMPARABLE = Verdict.NOT_COMPARABLE.value
_UNJUDGED = (_NOT_COMPARABLE, Verdict.NOT_RUN.value)


@event_priority(50)  # before links are turned to places of the site
def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The page with its marks replaced."""
    up = "../" * (page.file.src_uri.count("/") + 1)
    markdown = markdown.replace("<!-- verdicts -->", _all_verdicts())
    return re.sub(r"<!-- came out: (\w+) -->", lambda mark: _came_out(mark[1], up), markdown)


def _folder(source: str) -> Path | None:
    """The snapshot of the largest scale that has a source."""
    folders = (_SNAPSHOTS / scale for scale in _SCALES)
    return next((each for each in folders if (each / "verdicts" / f"{source}.csv").is_file()), None)


def _verdicts(folder: Path, source: str) -> pd.DataFrame:
    verdicts = pd.read_csv(folder / "verdicts" / f"{source}.csv", keep_default_na=False)
    # An older snapshot adds "at this scale".
    plain = verdicts["verdict"].str.replace(rf"^{_NOT_COMPARABLE}.*", _NOT_COMPARABLE, regex=True)
    return verdicts.assign(verdict=plain)


def _all_verdicts() -> str:
    """A table of the sources: how many values and claims have which verdict."""
    counted = {}
    for source in _SOURCES:
        folder = _folder(source)
        if folder is not None:
            counted[f"`{source}`, `{folder.name}`"] = _verdicts(folder, source)["verdict"]
    return _counts(pd.concat(counted, names=["source and scale"]))


def _counts(verdicts: pd.Series[str]) -> str:
    """A row for each name of the first level, a column for each verdict that was given."""
    table = verdicts.groupby(level=0, sort=False).value_counts().unstack(fill_value=0)
    given = [verdict.value for verdict in Verdict if verdict.value in table.columns]
    shown: str = table.reindex(verdicts.index.unique(0))[given].to_markdown()
    return shown


def _came_out(source: str, up: str) -> str:
    """Everything that the snapshot of a source has."""
    folder = _folder(source)
    if folder is None:
        return "*No snapshot of this source is kept yet.*"
    return "\n\n".join(_sections(source, folder, f"{up}results/reference/{folder.name}"))


def _sections(source: str, folder: Path, link: str) -> Iterator[str]:
    origin = pd.read_csv(folder / "origin.csv", index_col=0)[source]
    verdicts = _verdicts(folder, source)
    share = origin.get("share of the scale")
    yield (
        f"Scale `{folder.name}`{f', a share of {share} of it' if pd.notna(share) else ''}, "
        f"{origin['date'][:10]}, {origin['cores']} cores of "
        f"{origin['processor']}, one thread a job. "
        f"[Every verdict, as a table]({link}/verdicts/{source}.csv)."
    )
    kinds = {"value": "published values", "claim": "claims"}
    yield _counts(verdicts.set_index("kind")["verdict"].rename(index=kinds))
    yield "## Claims"
    yield _claims(verdicts[verdicts["kind"] == "claim"])
    figures = sorted((folder / "figures").glob(f"{source}_*.png"))
    if figures:
        yield "## Figures"
    for figure in figures:
        title, rest = _caption(figure.stem)
        yield f"### {title}\n\n![{title}]({link}/figures/{figure.name})\n\n{rest}"
        yield f"[The numbers]({link}/figures/{figure.stem}.csv)"
    yield "## Tables"
    for table in sorted((folder / "tables").glob(f"{source}_*.md")):
        title, rest = _caption(table.stem)
        body = table.read_text(encoding="utf-8").split("\n", 1)[1]
        inside = f"{rest}\n\n{body}\n\n[The numbers]({link}/tables/{table.stem}.csv)"
        yield f'??? abstract "{title}"\n\n' + re.sub(r"^(?=.)", "    ", inside, flags=re.M)


def _claims(claims: pd.DataFrame) -> str:
    """The claims that could be judged; under which attacks, if there are two protocols."""
    judged = claims[~claims["verdict"].isin(_UNJUDGED)].replace(r"\|", r"\|", regex=True)
    shown = judged.assign(words="*" + judged["quantity"] + "*")
    columns = {"words": "the source says", "verdict": "verdict"}
    if judged["protocol"].nunique() > 1:
        columns["protocol"] = "attacks as"
    columns["found"] = "found here (asked for)"
    table: str = shown[list(columns)].rename(columns=columns).to_markdown(index=False)
    silent = len(claims) - len(judged)
    return table + (
        f"\n\n{silent} more are not comparable, or were not run at this scale." if silent else ""
    )


def _caption(output: str) -> tuple[str, str]:
    """The title of a figure or table, and what its caption says besides."""
    text = (_ROOT / "workflow" / "report" / "captions" / f"{output}.rst").read_text()
    text = re.sub(r"``([^`]*)``", r"`\1`", " ".join(text.split()))
    found = re.match(r"\*\*(.*?)\*\*(?: \([^)]*\))?[:.,]?\s*(.*)", text)
    assert found is not None, output
    title, rest = found[1].rstrip("."), found[2]
    number = re.sub(r".*_(table|figure|extension)(\d+)", r"\1 \2", output).capitalize()
    return f"{number}: {title}", rest[:1].upper() + rest[1:]
