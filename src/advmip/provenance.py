"""Where a result comes from: versions, machine, date, threads, and the code itself."""

from __future__ import annotations

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from advmip.errors import unknown_name

_PACKAGE = Path(__file__).parent
_RECORDED = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "cleverhans",
    "gurobipy",
    "highspy",
    "pyscipopt",
)


# Parts of the package that decide what exact attacks and verifications find.
EXACT = ("margins", "mip", "properties")


def provenance(threads: int) -> dict[str, str | int]:
    """What has to be known about a run to understand its numbers.

    Args:
        threads: Threads given to torch, to the linear algebra and to the solvers.

    Returns:
        Versions of this project, of Python and of the packages that compute, processor, cores
        and accelerator, threads, the time in UTC (ISO 8601), and the digest of the whole code.
    """
    # Importing torch takes seconds, which asking for a digest should not cost.
    import torch

    return {
        "advmip": metadata.version("advmip"),
        "python": platform.python_version(),
        **{name: _version(name) for name in _RECORDED},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "threads": threads,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": code_digest(),
    }


def code_digest(*parts: str) -> str:
    """Sixteen hexadecimal digits of a SHA-256 over parts of this package: sources and arrays.

    A result that depends on these parts alone stays valid as long as the digest does.

    Args:
        parts: Modules or subpackages, such as "datasets" or "networks.training"; none for all.

    Raises:
        InputError: There is no such part.
    """
    digest = hashlib.sha256()
    for file in sorted({file for part in parts or ("",) for file in _sources(part)}):
        digest.update(f"{file.relative_to(_PACKAGE).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """The processor's model: Python's own answer on Linux is only the instruction set."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _sources(part: str) -> list[Path]:
    path = _PACKAGE.joinpath(*part.split("."))
    if path.is_dir():
        return [*path.rglob("*.py"), *path.rglob("*.npz")]
    module = path.with_suffix(".py")
    if module.is_file():
        return [module]
    raise unknown_name("part of the package", part, _parts())


def _parts() -> list[str]:
    entries = (entry for entry in _PACKAGE.iterdir() if not entry.name.startswith("_"))
    return [entry.stem for entry in entries if entry.is_dir() or entry.suffix == ".py"]
