"""Wording that refusals of ONNX files share."""

from __future__ import annotations

DAMAGED = "the file is truncated, altered or no ONNX: export the network or copy the file again"


def listed(axes: set[int]) -> str:
    """Axes in words."""
    return ", ".join(map(str, sorted(axes))) or "left out"
