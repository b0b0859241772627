"""Build, try and list the files of a release; run from the repository, not installed."""
