"""The tables of Tjeng's poster (2019), and its claims."""
