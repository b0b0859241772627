"""Studies: measurements behind the figures of the documents, run from the repository by `python -m studies.NAME`."""
