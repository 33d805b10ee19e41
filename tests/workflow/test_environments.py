"""Every way to set up the environment installs what the lock says, with its hashes."""

import re
import tomllib

import yaml

from .conftest import PROJECT

LOCK = (PROJECT / "requirements.lock").read_text()
PROJECT_FILE = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
LOCKED = set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.M))


def test_the_lock_has_every_dependency_and_every_hash():
    extras = PROJECT_FILE["optional-dependencies"]
    assert extras["dev"][0] == "advmip[suite,vnnlib,cluster,docs]"
    dependencies = sum(extras.values(), PROJECT_FILE["dependencies"])
    names = {re.match(r"[\w.-]+", dependency)[0].lower() for dependency in dependencies}
    assert names - {"advmip"} <= LOCKED
    for entry in re.split(r"\n(?=[a-z0-9._-]+==)", LOCK):
        if "==" in entry.splitlines()[0]:
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_every_environment_is_made_from_the_lock_with_hashes():
    for name in ("Makefile", "envs/environment.post-deploy.sh", "envs/Containerfile"):
        installing = [
            line
            for line in (PROJECT / name).read_text().splitlines()
            if re.search(r"pip (install|sync)", line) and not re.search(r"install.* uv$", line)
        ]
        from_lock, itself = installing
        assert "--require-hashes" in from_lock, name
        assert "requirements.lock" in from_lock, name
        assert "--no-deps" in itself, name


def test_every_environment_has_the_same_python():
    conda = yaml.safe_load((PROJECT / "envs/environment.yaml").read_text())
    (python,) = [entry for entry in conda["dependencies"] if entry.startswith("python=")]
    version = python.removeprefix("python=")
    assert f"python:{version}-slim" in (PROJECT / "envs/Containerfile").read_text()
    assert PROJECT_FILE["requires-python"] == f">={version}"


def test_the_container_holds_what_the_workflow_reads():
    copied = (PROJECT / "envs/Containerfile").read_text()
    for name in ("LICENSE", "Snakefile", "config.yaml", "workflow", "profiles", "envs", "src"):
        assert re.search(rf"^COPY .*\b{name}\b", copied, re.M), name


def test_the_profile_of_a_cluster_needs_what_is_locked_and_names_environments_that_are_there():
    text = (PROJECT / "workflow/profiles/slurm/config.yaml").read_text()
    assert f"snakemake-executor-plugin-{yaml.safe_load(text)['executor']}" in LOCKED
    named = re.findall(r"envs/\w+(?:\.\w+)?", text)
    assert len(named) == 2
    assert all((PROJECT / name).is_file() for name in named)
