"""Independent checks: an algorithm's or a solver's word is never the last."""
