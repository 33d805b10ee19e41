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
from advmip.reporting.comparisons import PROTOCOLS
from advmip.reporting.figures import FIGURES
from advmip.reporting.formats import css_class, to_html
from advmip.reporting.judging import Verdict, tally, two_digits
from advmip.reporting.obstacles import OTHER_DATA, count_obstacles
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


# Folders of scales on the real data, the most complete first.
_REAL_SCALES = ("paper", "overnight", "mnist")


def write_report(
    results_dir: Path, papers_dir: Path, out_path: Path, reference_dir: Path | None = None
) -> None:
    """Write the report of one scale.

    Where its data stand in for others, what came out on the real data comes first.

    Args:
        results_dir: The scale's results: `tables/`, `figures/`, `verdicts.csv`, and where they
            exist `rows/<source>/*.csv` (for the provenance) and `config.yaml`.
        papers_dir: Folder of the sources' YAML files; the page's template and the captions are in
            the folder `report` beside it.
        out_path: The HTML file to write.
        reference_dir: The folder of snapshots, if there is one.

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
        real=_real(reference_dir, sources) if _is_demonstration(verdicts) else None,
        is_demonstration=_is_demonstration(verdicts),
        sources=[_bars(source, verdicts) for source in sources.values()],
        reasons=_reasons(verdicts),
        claims=_claims(verdicts, sources),
        contradicted=_values(verdicts, Verdict.CONTRADICTED),
        improved=_values(verdicts, Verdict.IMPROVED),
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


def _is_demonstration(verdicts: pd.DataFrame) -> bool:
    """Whether other data stand in for those of the sources."""
    return bool(verdicts["reason"].astype(str).str.startswith(OTHER_DATA).any())


def _real(reference_dir: Path | None, sources: Mapping[str, Source]) -> dict[str, Any] | None:
    """The verdicts of the most complete snapshot on the real data; None if there is none."""
    if reference_dir is None:
        return None
    for scale in _REAL_SCALES:
        files = sorted((reference_dir / scale / "verdicts").glob("*.csv"))
        if files:
            verdicts = pd.concat([read_verdicts(file) for file in files], ignore_index=True)
            kept = [source for source in sources.values() if source.name in set(verdicts["source"])]
            return {"scale": scale, "sources": [_bars(source, verdicts) for source in kept]}
    return None


def _reasons(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Why values are not judged, each reason once, with how many values of which source."""
    by_source = count_obstacles(verdicts[verdicts["kind"] == "value"])
    return [
        {
            "verdict": verdict,
            "css": css_class(str(verdict)),
            "kind": kind,
            "count": int(part["count"].sum()),
            "sources": ", ".join(f"{row['source']} {row['count']}" for _, row in part.iterrows()),
        }
        for (verdict, kind), part in by_source.groupby(["verdict", "kind"], sort=False)
    ]


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
        parts = [
            {"name": verdict, "css": css_class(verdict), "count": count}
            for verdict, count in tally(chosen["verdict"]).items()
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
        "css": css_class(row["verdict"]),
        "decisive": cases[0],
        "others": cases[1:],
    }


def _values(verdicts: pd.DataFrame, verdict: Verdict) -> list[dict[str, str]]:
    """The values with a verdict, and what it rests on."""
    chosen = verdicts[(verdicts["kind"] == "value") & (verdicts["verdict"] == verdict.value)]
    return [
        {
            "place": f"{row['source']}, {row['where']}: {row['name']}",
            "quantity": str(row["quantity"]).replace("_", " "),
            "published": f"{row['published']:g}",
            "ours": _range(row["least"], row["most"]) or f"{row['ours']:.4g}",
            "times": two_digits(row["ours"] / row["published"]) if row["published"] else "",
            "interval": _range(row["lower"], row["upper"]),
            "tolerance": str(row["tolerance"]),
            "machine": "" if pd.isna(row["machine"]) else row["machine"],
        }
        for row in chosen.to_dict("records")
    ]


def _range(lower: float, upper: float) -> str:
    known = pd.notna(lower) and pd.notna(upper) and lower < upper
    return f"{lower:.4g} to {upper:.4g}" if known else ""
