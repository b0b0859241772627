"""Comparison of two results, corrected for the drift of the machine."""
