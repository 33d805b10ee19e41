"""What the project says of itself agrees with what it is."""

import re
import tomllib

import yaml

from .conftest import PROJECT

# Whoever clones the project takes all that snapshots keep with it.
MOST_BYTES_KEPT = 40_000_000
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
ABOUT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def test_the_citation_names_every_source_and_the_version():
    papers = [yaml.safe_load(file.read_text()) for file in PROJECT.glob("workflow/papers/*.yaml")]
    cited = {
        reference["title"]: " and ".join(
            author.get("name") or f"{author['given-names']} {author['family-names']}"
            for author in reference["authors"]
        )
        for reference in CITATION["references"]
    }
    assert cited == {paper["title"]: paper["authors"].replace(", ", " and ") for paper in papers}
    assert CITATION["version"] == ABOUT["version"]
    assert CITATION["license"] == ABOUT["license"]
    assert f"## {ABOUT['version']}" in (PROJECT / "CHANGELOG.md").read_text()


def test_the_hooks_before_a_commit_check_what_make_lint_checks():
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = {hook["entry"].removeprefix(".venv/bin/") for hook in hooks}
    linting = re.search(r"^lint:.*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(), re.M)[1]
    asked = [line.removeprefix("$(BIN)/") for line in re.findall(r"@(.*)", linting)]
    # Hooks are given the files that changed.
    bare = {re.sub(r" (\.|Snakefile workflow)$", "", command) for command in asked}
    assert {entry.removesuffix(" --force-exclude") for entry in entries} == bare


def test_snapshots_stay_small():
    kept = (path for path in (PROJECT / "results" / "reference").rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES_KEPT


def test_every_supported_python_is_tested():
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "test.yaml").read_text())
    tested = workflow["jobs"]["tests"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(ABOUT["classifiers"]))
    assert tested == named
