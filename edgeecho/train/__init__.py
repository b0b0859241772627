"""Training: clips, losses, the loop. It needs torch."""
