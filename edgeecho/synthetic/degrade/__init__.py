"""Degradations: clean cines made worse in the ways of low-cost probes, screens and files, each by a stated strength."""
