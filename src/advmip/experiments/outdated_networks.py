"""Networks from a snapshot that were made otherwise than the settings say by now.

Snakemake makes a file again where it knows what the file was made with. Of one that was put in
place from a snapshot it knows nothing, but the network's file says how it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from advmip.experiments.catalogue import networks
from advmip.experiments.kept_networks import (
    header_of,
    note_restored,
    restored_networks,
)
from advmip.experiments.recipes import made_as
from advmip.experiments.zhu.catalogue import retrained_as
from advmip.settings import Settings

_FOLDER, _SUFFIX = "networks", ".outdated"


def set_outdated_aside(settings: Settings, results_dir: Path) -> dict[Path, str]:
    """Rename networks from a snapshot that were made otherwise than the settings say.

    Args:
        settings: All settings.
        results_dir: The scale's results.

    Returns:
        The files under their new names, and how they were made otherwise.
    """
    restored = restored_networks(results_dir)
    if not restored:
        return {}
    asked = {
        recipe.weights: made_as(recipe, settings["seed"]) for recipe in networks(settings).values()
    } | retrained_as(settings)
    moved = {}
    for weights, origin in asked.items():
        name = f"{_FOLDER}/{weights}"
        file = results_dir / name
        found = _origin(file) if name in restored and file.is_file() else {}
        other = {key: value for key, value in origin.items() if found.get(key, value) != value}
        if other:
            restored.remove(name)
            aside = file.replace(file.with_name(file.name + _SUFFIX))
            moved[aside] = ", ".join(
                f"{key} {found[key]} in place of {value}" for key, value in other.items()
            )
    if moved:
        note_restored(results_dir, restored)
    return moved


def _origin(file: Path) -> Mapping[str, object]:
    """What a network's file says of its making; nothing if that cannot be read."""
    return dict(json.loads(header_of(file.read_bytes()).get("metadata", "{}")))
