"""Wording that refusals of ONNX files share."""

from __future__ import annotations

DAMAGED = "the file is truncated, altered or no ONNX: export the network or copy the file again"


def one_line(error: Exception) -> str:
    """What another library says of an error, shortened to one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def listed(axes: set[int]) -> str:
    """Axes in words."""
    return ", ".join(map(str, sorted(axes))) or "left out"
