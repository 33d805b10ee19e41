"""Tables, figures and claims of Ben Mhenni et al."""
