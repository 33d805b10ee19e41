"""Primal heuristics: good attacks before any proof."""
