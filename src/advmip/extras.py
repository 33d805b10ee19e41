"""Packages that only a part of the project needs, and the command that installs them."""

from __future__ import annotations

from importlib.util import find_spec

from advmip.errors import InputError

# The packages of each extra of pyproject.toml, by the names under which they are imported.
EXTRAS = {
    "figures": ("matplotlib", "seaborn"),
    "suite": (
        "clarabel",
        "cleverhans",
        "docutils",
        "jinja2",
        "jsonschema",
        "pooch",
        "referencing",
        "snakemake",
        "torchvision",
        "yaml",
    ),
    "vnnlib": ("onnxruntime", "vnnlib"),
}


def extra_of(package: str | None) -> str | None:
    """The extra that brings a package; None if it is none of theirs."""
    return next((extra for extra, packages in EXTRAS.items() if package in packages), None)


def pip_command(extra: str) -> str:
    """What to type to have an extra's packages."""
    return f"pip install 'advmip[{extra}]'"


def installed(*packages: str) -> bool:
    """Whether packages are there, without importing them."""
    return all(find_spec(package) is not None for package in packages)


def require(*packages: str, subject: str) -> None:
    """Refuse, before any work, what needs packages that are not installed.

    Args:
        packages: As they are imported.
        subject: What needs them.

    Raises:
        InputError: One of them is missing; the message has the command that installs it.
    """
    for package in packages:
        if not installed(package):
            raise missing(package, subject)


def missing(package: str, subject: str) -> InputError:
    """The error for a package of an extra that is not installed.

    Args:
        package: As it is imported.
        subject: What needs it.
    """
    extra = extra_of(package)
    assert extra is not None
    return InputError(
        subject=subject,
        found=f"no package {package}",
        expected=f"what advmip[{extra}] installs: {', '.join(EXTRAS[extra])}",
        mend=pip_command(extra),
    )
