"""Files of an export: sealed graphs in each format, device files, the card and the index."""
