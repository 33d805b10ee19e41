"""What `import advmip` promises: names that are there, and no wait for torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import advmip

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", advmip.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(advmip, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="finetun"):
        _ = advmip.finetun


def test_importing_the_package_does_not_load_torch():
    code = "import sys, advmip, advmip.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_names_in_the_readme_are_public():
    used = set(re.findall(r"advmip\.([A-Za-z_]+)\b", README.read_text(encoding="utf-8")))
    assert used
    assert used <= set(advmip.__all__)
