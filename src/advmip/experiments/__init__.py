"""The runs behind each source's tables and figures; each writes tidy rows."""
