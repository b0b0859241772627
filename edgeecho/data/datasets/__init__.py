"""Data sets: one adapter a file, each of which gives cines with sparse labels."""
