"""The runs behind the tables and figures of Zhao & Kronqvist 2024."""
