"""The report: one self-contained HTML page with verdicts, tables, figures and provenance."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from docutils.core import publish_parts  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from advmip.errors import InputError
from advmip.reporting import style
from advmip.reporting.comparisons import PROTOCOLS, Verdict
from advmip.reporting.figures import FIGURES
from advmip.reporting.formats import css_class, to_html
from advmip.reporting.rows import code_versions
from advmip.reporting.sources import Source, read_sources
from advmip.reporting.tables import TABLES, print_table
from advmip.reporting.verdicts import read_verdicts
from advmip.storage import read_yaml, write_atomically

_PIXELS_PER_INCH = 125

_SECTIONS = {
    "zk_table": "Tables of Zhao & Kronqvist",
    "zk_figure": "Figures of Zhao & Kronqvist",
    "kronqvist": "The lecture",
    "zhu_table": "Tables of Zhu's thesis",
    "zhu_figure": "Figures of Zhu's thesis",
    "benmhenni_table": "Tables of Ben Mhenni et al.",
    "benmhenni_figure": "Figures of Ben Mhenni et al.",
    "tjeng_table": "Tables of Tjeng's poster",
    "zk_extension": "Extensions of Zhao & Kronqvist",
    "zhu_extension": "Extensions of Zhu's thesis",
    "tjeng_extension": "Extensions of Tjeng's poster",
}


def write_report(results_dir: Path, papers_dir: Path, out_path: Path) -> None:
    """Write the report of one scale.

    Args:
        results_dir: The scale's results: `tables/`, `figures/`, `verdicts.csv`, and where they
            exist `rows/<source>/*.csv` (for the provenance) and `config.yaml`.
        papers_dir: Folder of the sources' YAML files; the page's template and the captions are in
            the folder `report` beside it.
        out_path: The HTML file to write.

    Raises:
        InputError: There are no verdicts, tables and figures, or the template or a caption is
            missing.
    """
    report_dir = papers_dir.parent / "report"
    verdicts = read_verdicts(results_dir / "verdicts.csv")
    sources = read_sources(papers_dir)
    made = {name: _output(name, results_dir, report_dir) for name in output_names()}
    sections = [
        {"title": title, "outputs": [out for name, out in made.items() if name.startswith(start)]}
        for start, title in _SECTIONS.items()
    ]
    environment = Environment(
        loader=FileSystemLoader(report_dir), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        scale=results_dir.name,
        networks=_networks(results_dir / "config.yaml"),
        verdicts=[{"name": verdict.value, "css": css_class(verdict)} for verdict in Verdict],
        sources=[_bars(source, verdicts) for source in sources.values()],
        claims=_claims(verdicts, sources),
        contradicted=_contradicted(verdicts),
        sections=[section for section in sections if section["outputs"]],
        outputs=list(made.values()),
        absent=absent_outputs(results_dir),
        provenance=gather_provenance(results_dir, *sources),
        settings=_text(results_dir / "config.yaml"),
    )
    with write_atomically(out_path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def output_names() -> list[str]:
    """The names of all tables and figures, in the order of the report."""
    names = dict.fromkeys([*TABLES, *FIGURES])
    return [name for start in _SECTIONS for name in sorted(names) if name.startswith(start)]


def absent_outputs(results_dir: Path, beginning: str = "") -> list[str]:
    """Which tables and figures whose names begin so are not among the results."""
    tables = [f"table {name}" for name in TABLES if not _table(results_dir, name).is_file()]
    figures = [f"figure {name}" for name in FIGURES if not _figure(results_dir, name).is_file()]
    return [each for each in (*tables, *figures) if each.split()[1].startswith(beginning)]


def gather_provenance(results_dir: Path, *sources: str) -> dict[str, str]:
    """Versions, machines and dates behind the rows of a scale, each distinct value once.

    Args:
        results_dir: The scale's results.
        sources: Short names of sources, whose rows hold those of their outputs.

    Returns:
        What to the values found, joined by commas; dates as first and last. Empty without rows.
    """
    values: dict[str, list[str]] = {}
    versions = 0
    for path in sorted(path for each in sources for path in results_dir.glob(f"rows/{each}/*.csv")):
        rows = pd.read_csv(path, usecols=["experiment", "code", "provenance"])
        versions = max(versions, code_versions(rows))
        for text in rows["provenance"].dropna().unique():
            for name, value in json.loads(text).items():
                known = values.setdefault(name, [])
                if str(value) not in known:
                    known.append(str(value))
    if "date" in values:
        dates = sorted(values["date"])
        values["date"] = dates[:1] if dates[0] == dates[-1] else [dates[0], dates[-1]]
    if versions:
        values["versions of the code behind the rows"] = [str(versions)]
    return {
        name: (" to " if name == "date" else ", ").join(found) for name, found in values.items()
    }


def _table(results_dir: Path, name: str) -> Path:
    return results_dir / "tables" / f"{name}.csv"


def _figure(results_dir: Path, name: str) -> Path:
    return results_dir / "figures" / f"{name}.png"


def _output(name: str, results_dir: Path, report_dir: Path) -> dict[str, Any]:
    """A table, a figure or both under one name, as the page shows them."""
    table, image = _table(results_dir, name), _figure(results_dir, name)
    return {
        "name": name,
        "caption": _caption(report_dir / "captions" / f"{name}.rst"),
        "table": Markup(to_html(print_table(name, table)))
        if name in TABLES and table.is_file()
        else "",
        "image": base64.b64encode(image.read_bytes()).decode() if image.is_file() else "",
        "width": _shown_width(image) if image.is_file() else 0,
    }


def _shown_width(png: Path) -> int:
    """The width on the page, in pixels, at which all figures have letters of the same size."""
    width = int.from_bytes(png.read_bytes()[16:20], "big")
    return round(width / style.DOTS_PER_INCH * _PIXELS_PER_INCH)


def _caption(path: Path) -> Markup:
    text = _text(path)
    if not text:
        raise InputError(
            subject=f"caption {path}",
            found="no such file, or an empty one",
            expected="a paragraph of reStructuredText",
            mend="write it",
        )
    parts = publish_parts(text, writer="html5", settings_overrides={"report_level": 2})
    return Markup(parts["body"])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _networks(config: Path) -> str:
    """Which architecture and data set stand for each network of the papers; nothing if unknown."""
    if not config.is_file():
        return ""
    networks = read_yaml(config).get("networks", {})
    return ", ".join(
        f"{name} is {chosen['architecture']} on {chosen['dataset']}"
        for name, chosen in networks.items()
    )


def _bars(source: Source, verdicts: pd.DataFrame) -> dict[str, Any]:
    """How many verdicts of each kind a source has: a bar for values, one a protocol for claims."""
    own = verdicts[verdicts["source"] == source.name]
    bars = []
    claims = [
        ("claim", each, f"claims, attacks as {each}" if len(source.protocols) > 1 else "claims")
        for each in source.protocols
    ]
    for kind, protocol, label in [("value", "published", "values"), *claims]:
        chosen = own[(own["kind"] == kind) & (own["protocol"] == protocol)]
        counts = chosen["verdict"].value_counts()
        parts = [
            {"name": verdict.value, "css": css_class(verdict), "count": int(counts[verdict.value])}
            for verdict in Verdict
            if verdict.value in counts
        ]
        words = ", ".join(f"{part['count']} {part['name']}" for part in parts)
        bars.append({"label": label, "total": len(chosen), "parts": parts, "words": words})
    return {
        "authors": source.authors,
        "year": source.year,
        "title": source.title,
        "bars": bars,
    }


def _claims(verdicts: pd.DataFrame, sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    claims = []
    for source in sources.values():
        for claim in source.claims:
            rows = verdicts[(verdicts["source"] == source.name) & (verdicts["name"] == claim.name)]
            by_protocol = {row["protocol"]: row for row in rows.to_dict("records")}
            claims.append(
                {
                    "name": claim.name,
                    "words": claim.words,
                    "source": source.authors,
                    "where": claim.where,
                    "reason": claim.reason,
                    "judged": [
                        _judged(by_protocol[protocol]) if protocol in by_protocol else None
                        for protocol in PROTOCOLS
                    ],
                }
            )
    return claims


def _judged(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A verdict on a claim: the decisive number, and the others below it."""
    cases = str(row["found"]).split("; ") if pd.notna(row["found"]) else [str(row["reason"])]
    return {
        "verdict": row["verdict"],
        "css": css_class(Verdict(row["verdict"])),
        "decisive": cases[0],
        "others": cases[1:],
    }


def _contradicted(verdicts: pd.DataFrame) -> list[dict[str, str]]:
    chosen = verdicts[
        (verdicts["kind"] == "value") & (verdicts["verdict"] == Verdict.CONTRADICTED.value)
    ]
    return [
        {
            "place": f"{row['source']}, {row['where']}: {row['name']}",
            "quantity": str(row["quantity"]).replace("_", " "),
            "published": f"{row['published']:g}",
            "ours": f"{row['ours']:.4g}",
            "interval": _interval(row["lower"], row["upper"]),
            "tolerance": str(row["tolerance"]),
        }
        for row in chosen.to_dict("records")
    ]


def _interval(lower: float, upper: float) -> str:
    return "" if pd.isna(lower) or pd.isna(upper) else f"{lower:.4g} to {upper:.4g}"
