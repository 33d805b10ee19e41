"""Which tables and figures there are, and which rows they are made from.

Light on purpose, as the settings are: the workflow asks before every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advmip.experiments.catalogue import shards_with
from advmip.experiments.shards import Shard
from advmip.settings import Settings

# What `workflow/outputs.yaml` holds: by output the files that are made, and the runs behind it.
Outputs = Mapping[str, Mapping[str, Any]]

# The lecture reports runs of the paper: whatever seeds there are of them bear on its verdicts.
_OTHERS_RUNS = {"kronqvist": ("zk",)}


def sources_of(outputs: Outputs) -> list[str]:
    """The short names of the sources, each the beginning of its outputs' names."""
    return list(dict.fromkeys(name.partition("_")[0] for name in outputs))


def outputs_of(outputs: Outputs, *sources: str) -> list[str]:
    """The tables and figures of some sources."""
    return [name for name in outputs if name.partition("_")[0] in sources]


def files_of(outputs: Outputs, *names: str) -> list[str]:
    """What tables and figures end in, without suffixes, below the folder of results."""
    return [f"{folder}/{name}" for name in names for folder in outputs[name]["makes"]]


def shards_of_output(settings: Settings, outputs: Outputs, name: str) -> list[Shard]:
    """The jobs whose rows a table or figure is made from, or all those of a source.

    Args:
        settings: All settings.
        outputs: All tables and figures.
        name: Of one of them, or a source's short name.
    """
    chosen = [name] if name in outputs else outputs_of(outputs, name, *_OTHERS_RUNS.get(name, ()))
    shards = [
        shard
        for output in chosen
        for experiment, networks in outputs[output]["runs"].items()
        for network in networks
        for shard in shards_with(settings, experiment, network)
    ]
    return list(dict.fromkeys(shards))
