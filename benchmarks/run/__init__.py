"""The harness: contestants, one process a row, what is timed and how, results and packs."""
