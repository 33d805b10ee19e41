"""Pages and pictures that lie elsewhere in the repository, and the links to them.

Links in the pages are those of the repository, so that the same text is read in a checkout and on
the site. Here each is turned to where its target lies on the site. A picture or a table is copied
when a page shows it; nothing is kept twice.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# Pages outside docs/, and where the site has them.
_ELSEWHERE = {
    "benchmarks/README.md": "benchmarks.md",
    "config/README.md": "settings.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_HOMES = {page: source for source, page in _ELSEWHERE.items()}
# What a page may show or link besides pages.
_COPIED = {".png", ".csv", ".pdf", ".svg", ".cff"}
_LINK = re.compile(r"(\]\()([^)\s#]+)")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """The pages from outside docs/ among the others."""
    for source, page in _ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with links to places of the site."""
    home = _HOMES.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def on_the_site(found: re.Match[str]) -> str:
        opening, target = found.groups()
        if re.match(r"[a-z]+:", target):
            return found[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(home), target))
        uri = _uri(place)
        kept = (ROOT / place).is_file() and Path(place).suffix in _COPIED
        if kept and files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / place)))
        return opening + posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".")

    return _LINK.sub(on_the_site, markdown)


def _uri(place: str) -> str:
    """Where the site has a file of the repository."""
    if (ROOT / place).is_dir():
        place = f"{place}/index.md"
    return _ELSEWHERE.get(place, place.removeprefix("docs/"))
