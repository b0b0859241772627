"""What an export writes: sealed graphs in each format, device files, the card and the index."""
