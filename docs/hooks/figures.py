"""Figures in the size that they were drawn in, which their texts are meant for."""

from __future__ import annotations

import posixpath
import re
import struct
from pathlib import Path
from typing import Any

from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

# Figures have 200 dots in an inch, screens a hundred.
_DOTS = 2
_PICTURE = re.compile(r'<img ([^>]*)src="([^":]+\.(?:png|svg))"')


def on_page_content(content: str, page: Page, files: Files, **_: Any) -> str:
    """Every picture of a page, with its width."""
    places = {file.dest_uri: Path(file.abs_src_path) for file in files if file.abs_src_path}

    def sized(found: re.Match[str]) -> str:
        others, source = found.groups()
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page.url), source))
        return f'<img {others}width="{_width(places[place])}" src="{source}"'

    return _PICTURE.sub(sized, content)


def _width(picture: Path) -> int:
    if picture.suffix == ".svg":
        box = re.search(r'viewBox="0 0 (\d+)', picture.read_text(encoding="utf-8"))
        assert box is not None, picture
        return int(box[1])
    width: int = struct.unpack(">I", picture.read_bytes()[16:20])[0]
    return width // _DOTS
