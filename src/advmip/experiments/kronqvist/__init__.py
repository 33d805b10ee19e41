"""The example of Kronqvist's lecture."""
