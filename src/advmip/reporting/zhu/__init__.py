"""The tables and figures of Zhu's thesis."""
