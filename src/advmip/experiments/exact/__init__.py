"""What the runs of all sources with exact attacks share."""
