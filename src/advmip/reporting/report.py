"""The report: one self-contained HTML page with verdicts, tables, figures and provenance."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils.core import publish_parts  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from advmip.durability.storage import read_yaml, write_text
from advmip.errors import InputError
from advmip.reporting import style
from advmip.reporting.formats import css_class, to_html
from advmip.reporting.judging import Verdict
from advmip.reporting.report_verdicts import (
    bars_of,
    claims_of,
    is_demonstration,
    on_real_data,
    reasons,
    values_with,
)
from advmip.reporting.results_folder import (
    SECTIONS,
    absent_outputs,
    figure_file,
    gather_provenance,
    output_names,
    share_of_scale,
    table_file,
)
from advmip.reporting.sources import read_sources
from advmip.reporting.tables import TABLES, print_table
from advmip.reporting.verdicts import read_verdicts

_PIXELS_PER_INCH = 125


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
    stands_in = is_demonstration(verdicts)
    made = {name: _output(name, results_dir, report_dir) for name in output_names()}
    sections = [
        {"title": title, "outputs": [out for name, out in made.items() if name.startswith(start)]}
        for start, title in SECTIONS.items()
    ]
    environment = Environment(
        loader=FileSystemLoader(report_dir), autoescape=True, undefined=StrictUndefined
    )
    config = results_dir / "config.yaml"
    settings = read_yaml(config) if config.is_file() else {}
    page = environment.get_template("report.html.j2").render(
        scale=results_dir.name,
        networks=_networks(settings),
        share=share_of_scale(settings),
        verdicts=[{"name": verdict.value, "css": css_class(verdict)} for verdict in Verdict],
        real=on_real_data(reference_dir, sources) if stands_in else None,
        is_demonstration=stands_in,
        sources=[bars_of(source, verdicts) for source in sources.values()],
        reasons=reasons(verdicts),
        claims=claims_of(verdicts, sources),
        contradicted=values_with(verdicts, Verdict.CONTRADICTED),
        improved=values_with(verdicts, Verdict.IMPROVED),
        sections=[section for section in sections if section["outputs"]],
        outputs=list(made.values()),
        absent=absent_outputs(results_dir),
        provenance=gather_provenance(results_dir, *sources),
        settings=_text(config),
    )
    write_text(out_path, page)


def _output(name: str, results_dir: Path, report_dir: Path) -> dict[str, Any]:
    """A table, a figure or both under one name, as the page shows them."""
    table, image = table_file(results_dir, name), figure_file(results_dir, name)
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


def _networks(settings: Mapping[str, Any]) -> str:
    """Which architecture and data set stand for each network of the papers; nothing if unknown."""
    networks = settings.get("networks", {})
    return ", ".join(
        f"{name} is {chosen['architecture']} on {chosen['dataset']}"
        for name, chosen in networks.items()
    )
