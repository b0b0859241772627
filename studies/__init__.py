"""Studies: how findings of the documents were made; run from the repository by `python -m studies.NAME`."""
