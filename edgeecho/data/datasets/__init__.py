"""Adapters of the data sets, one a file, which read cines with labels on some frames."""
