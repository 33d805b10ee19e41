"""Formulas of the pages as MathML, which browsers draw without a script."""

from __future__ import annotations

import html
import re
from typing import Any

from math_core import LatexToMathML

# What pymdownx.arithmatex leaves of $...$ and $$...$$.
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.DOTALL)
_CONVERTER = LatexToMathML()


def on_page_content(content: str, **_: Any) -> str:
    """Every formula of a page, from LaTeX to MathML.

    Raises:
        LatexError: A formula has a command that is not known.
    """
    return _FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    kind, latex = found.groups()
    plain = html.unescape(latex).strip()
    drawn = _CONVERTER.convert_with_local_state(plain, displaystyle=kind == "div")
    return f'<{kind} class="formula">{drawn}</{kind}>'
