"""The site of the documentation builds, is whole, and asks nothing of another host."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import advmip

from .conftest import PROJECT, run_module


class Page(HTMLParser):
    """The anchors of a page, the places that it links to, and what it loads."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors.add(values.get("id") or "")
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        loading = {"img": "src", "script": "src", "link": "href", "iframe": "src"}.get(tag)
        if values.get(loading) and values.get("rel") != "canonical":
            self.loaded.append(values[loading])


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[Path, Page]:
    site = tmp_path_factory.mktemp("site")
    built = run_module(PROJECT, "mkdocs", "build", "--site-dir", site)
    assert built.returncode == 0, built.stderr
    return {file: Page(file) for file in site.rglob("*.html")}


def test_every_link_and_anchor_has_its_target(pages):
    for page in pages.values():
        if page.file.name == "404.html":  # its links are those of the served site
            continue
        for link in [*page.links, *page.loaded]:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            path = unquote(address.path)
            target = (page.file.parent / path).resolve() if path else page.file
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{page.file.name}: {link}"
            if target in pages:
                assert unquote(address.fragment) in pages[target].anchors, f"{page.file}: {link}"


def test_nothing_is_loaded_from_elsewhere(pages):
    for page in pages.values():
        assert not [each for each in page.loaded if urlsplit(each).netloc], page.file


def test_every_public_name_is_in_the_reference(pages):
    reference = [page for file, page in pages.items() if file.parent.name == "reference"]
    shown = {anchor.split(".")[-1] for page in reference for anchor in page.anchors}
    assert set(advmip.__all__) <= shown


def test_every_source_shows_what_came_out(pages):
    for page in pages.values():
        assert "came out:" not in page.file.read_text(encoding="utf-8"), page.file
