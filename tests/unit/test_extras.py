"""A plain installation: attacks, verification and fine-tuning, and nothing of the suite."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import advmip
from advmip import InputError
from advmip.extras import EXTRAS, require
from advmip.networks import ARCHITECTURES, new_network, save_network

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
# What packages are called when they are installed, where they are imported by another name.
INSTALLED = {"yaml": "pyyaml", "PIL": "pillow"}
# What takes the extras: the sources' runs, their settings, and all that is drawn from rows.
SUITE = ("experiments", "forecast", "reporting", "settings")
WITHOUT_EXTRAS = f"""
import sys
for package in {sum(EXTRAS.values(), ())}:
    sys.modules[package] = None
"""


def run_without_extras(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS + code, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run an `advmip` command where only the core is installed."""
    code = "from advmip.cli import main; main()"
    return run_without_extras(code, *arguments, folder=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_network(
        new_network(ARCHITECTURES["digits_dnn1"], seed=0).frozen(), tmp_path / "n.safetensors", {}
    )
    np.save(tmp_path / "image.npy", advmip.load_dataset("digits", "test").images[0])
    return tmp_path


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_extras_are_those_of_the_project_file(extra: str) -> None:
    demanded = PROJECT["optional-dependencies"][extra]
    own = [each for each in demanded if not each.startswith("advmip[")]
    names = {re.match(r"[\w.-]+", each)[0] for each in own}
    assert names == {INSTALLED.get(package, package) for package in EXTRAS[extra]}


def test_the_core_imports_nothing_of_the_suite(tmp_path: Path) -> None:
    root = Path(advmip.__file__).parent
    files = [file.relative_to(root).with_suffix("") for file in sorted(root.rglob("*.py"))]
    modules = [
        ".".join(["advmip", *(part for part in file.parts if part != "__init__")])
        for file in files
        if file.parts[0] not in (*SUITE, "__main__")
    ]
    code = "from importlib import import_module\nfor name in sys.argv[1:]: import_module(name)"
    imported = run_without_extras(code, *modules, folder=tmp_path)
    assert imported.returncode == 0, imported.stderr


def test_an_attack_prints_json_alone_and_is_kept_without_its_picture(folder: Path) -> None:
    # HiGHS has a banner, from version 1.16 on.
    finished = command(
        folder,
        *("attack", "n.safetensors", "image.npy", "--out", "found"),
        *("--json", "--distance", "l1", "--solver", "highs"),
    )
    assert finished.returncode == 0, finished.stderr
    (row,) = [json.loads(line) for line in finished.stdout.splitlines()]
    assert row["outcome"] == "optimal"
    assert row["solver"] == "highs"
    assert (folder / "found.npy").exists()
    assert not (folder / "found.png").exists()
    assert "pip install 'advmip[figures]'" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("curve", "n.safetensors", "digits:0"), "figures"),
        (("table", "zk_table2", "--rows", "rows", "--out", "table"), "suite"),
        (("zk", "initial", "CNN", "--network-file", "n.safetensors", "--out", "rows"), "suite"),
        (("plan",), "suite"),
    ],
)
def test_what_needs_an_extra_says_how_to_install_it(
    folder: Path, arguments: tuple[str, ...], extra: str
) -> None:
    refused = command(folder, *arguments)
    assert refused.returncode == 2
    assert f"to mend:  pip install 'advmip[{extra}]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_gradient_attacks_ask_for_cleverhans_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleverhans", None)
    network = new_network(ARCHITECTURES["digits_dnn1"], seed=0).frozen()
    digits = advmip.load_dataset("digits", "test")
    settings = advmip.AttackSettings(0.1, 0.05, 2)
    with pytest.raises(InputError, match=r"no package cleverhans") as caught:
        advmip.evaluate(network, digits, advmip.PROTOCOLS["described"], settings, seed=0)
    assert "advmip[suite]" in caught.value.mend


def test_what_is_installed_is_not_refused() -> None:
    require("yaml", "matplotlib", subject="nothing")
