"""A printed table, and its forms: Markdown, LaTeX and HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from advmip.reporting.judging import Verdict

MARKS = {
    Verdict.REPRODUCED: "✓",
    Verdict.IMPROVED: "+",
    Verdict.DIRECTION: "↗",
    Verdict.CONTRADICTED: "✗",
    Verdict.UNRESOLVED: "?",
    Verdict.NOT_COMPARABLE: "",
    Verdict.NOT_RUN: "",
}

MINUS = "\u2212"
DASH = "\u2013"
# Between several machines.
AND = " and "

LEGEND = (
    "✓ reproduced, + improved, ↗ direction holds, ✗ contradicted, ? unresolved, "
    "no mark: not comparable or not run"
)

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    MINUS: r"$-$",
    DASH: "--",
    "±": r"$\pm$",
    "\u00d7": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "ω": r"$\omega$",
    "ε": r"$\varepsilon$",
    "✓": r"$\checkmark$",
    "↗": r"$\nearrow$",
    "✗": r"$\times$",
    "“": "``",
    "”": "''",
    "\u2019": "'",
    "…": r"\ldots{}",
    "\u00a0": "~",
}

_LATEX_PHRASES = {"|X_adv|": r"$|\mathcal{X}_{\mathrm{adv}}|$"}


@dataclass(frozen=True)
class Entry:
    """One entry of a printed table.

    Attributes:
        text: What is printed; empty for nothing.
        bold: Whether it is the best of its group.
        verdict: The verdict on it, if it stands beside a published value.
        quiet: Whether it is a published value, printed less strongly than ours.
    """

    text: str
    bold: bool = False
    verdict: Verdict | None = None
    quiet: bool = False


@dataclass(frozen=True)
class PrintedTable:
    """A table as it is to be printed.

    Attributes:
        title: One line.
        groups: The upper header: a label and the number of columns below it, for all columns.
        columns: The lower header.
        rows: The entries, row by row.
        rules: Rows before which a line is drawn.
        notes: Lines below the table.
        text_columns: How many of the first columns are words, set flush left.
    """

    title: str
    groups: Sequence[tuple[str, int]]
    columns: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    rules: frozenset[int] = frozenset()
    notes: Sequence[str] = ()
    text_columns: int = 1


def to_markdown(table: PrintedTable) -> str:
    """The table in GitHub's Markdown; the two header lines become one."""
    heads = [
        f"{group}: {column}" if group and column else group or column
        for group, column in zip(_spread(table.groups), table.columns, strict=True)
    ]
    lines = [
        f"**{_escape_markdown(table.title)}**",
        "",
        _markdown_row(_escape_markdown(head) for head in heads),
        _markdown_row(
            "---" if index < table.text_columns else "---:" for index in range(len(heads))
        ),
        *(_markdown_row(_markdown_entry(entry) for entry in row) for row in table.rows),
        "",
    ]
    for note in table.notes:
        lines += [_escape_markdown(note), ""]
    return "\n".join(lines)


def to_latex(table: PrintedTable) -> str:
    """The table as a LaTeX `table` that needs the packages booktabs, amssymb and adjustbox."""
    alignment = "l" * table.text_columns + "r" * (len(table.columns) - table.text_columns)
    spans, rules, at = [], [], 1
    for label, width in table.groups:
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(label)}}}")
        if label:
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        at += width
    body = []
    for index, row in enumerate(table.rows):
        if index in table.rules:
            body.append(r"\midrule")
        body.append(" & ".join(_latex_entry(entry) for entry in row) + r" \\")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,amssymb,adjustbox}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(table.title)}}}",
            r"\begin{adjustbox}{max width=\textwidth}",
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            " & ".join(spans) + r" \\",
            " ".join(rules),
            " & ".join(escape_latex(column) for column in table.columns) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{adjustbox}",
            *(rf"\par\smallskip\footnotesize {escape_latex(note)}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def to_html(table: PrintedTable) -> str:
    """The table as an HTML `table`, with a class per verdict and notes below."""
    groups = "".join(
        f'<th colspan="{width}"{_css("group" if label else "")}>{html.escape(label)}</th>'
        for label, width in table.groups
    )
    columns = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    body = []
    for index, row in enumerate(table.rows):
        entries = "".join(_html_entry(entry) for entry in row)
        body.append(f"<tr{_css('rule' if index in table.rules else '')}>{entries}</tr>")
    notes = "".join(f'<p class="note">{html.escape(note)}</p>' for note in table.notes)
    head = f"<thead><tr>{groups}</tr><tr>{columns}</tr></thead>"
    css = _css("words" if table.text_columns > 1 else "")
    return f"<table{css}>{head}<tbody>{''.join(body)}</tbody></table>{notes}"


def escape_latex(text: str) -> str:
    """Text with LaTeX's special characters and the symbols used here made safe for LaTeX."""
    for phrase, replacement in _LATEX_PHRASES.items():
        if phrase in text:
            before, after = text.split(phrase, 1)
            return escape_latex(before) + replacement + escape_latex(after)
    return "".join(_LATEX.get(character, character) for character in text)


def _escape_markdown(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")


def _spread(groups: Sequence[tuple[str, int]]) -> list[str]:
    return [label for label, width in groups for _ in range(width)]


def _marked(entry: Entry) -> str:
    return MARKS[entry.verdict] if entry.verdict is not None else ""


def _markdown_row(entries: Iterable[str]) -> str:
    return f"| {' | '.join(entries)} |"


def _markdown_entry(entry: Entry) -> str:
    text = _escape_markdown(entry.text)
    if entry.bold and text:
        text = f"**{text}**"
    return f"{text} {_marked(entry)}".strip()


def _latex_entry(entry: Entry) -> str:
    text = escape_latex(entry.text)
    if entry.bold and text:
        text = rf"\textbf{{{text}}}"
    mark = _marked(entry)
    return rf"{text}\rlap{{\textsuperscript{{{escape_latex(mark)}}}}}" if mark else text


def _html_entry(entry: Entry) -> str:
    names = ["paper" if entry.quiet else "", "best" if entry.bold else ""]
    if entry.verdict is not None:
        names.append(css_class(entry.verdict))
    mark = _marked(entry)
    shown = f'<sup aria-label="{entry.verdict}">{mark}</sup>' if mark else ""
    return f"<td{_css(' '.join(filter(None, names)))}>{html.escape(entry.text)}{shown}</td>"


def css_class(verdict: str) -> str:
    """The class of a verdict in the report's style sheet: its first two words."""
    return "-".join(verdict.split()[:2])


def _css(names: str) -> str:
    return f' class="{names}"' if names else ""
