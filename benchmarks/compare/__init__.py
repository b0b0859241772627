"""Comparison of two results, against the drift of the machine."""
