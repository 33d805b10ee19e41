"""Tables, figures and predicates of Zhao & Kronqvist 2024 and of Kronqvist's lecture."""
