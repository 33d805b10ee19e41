"""What a scale will cost, before it is run: its jobs, and the times that their like have taken."""
