"""The runs of each source's tables and figures; each writes tidy rows."""
