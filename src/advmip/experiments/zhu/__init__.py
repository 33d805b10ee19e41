"""The runs of Zhu's thesis."""
