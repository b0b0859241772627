"""Checks of an export: proof of equality, and the acceptance test in clinical units."""
