"""The runs of Ben Mhenni et al. 2024."""
