"""Error messages as a result holds them."""

import re

FOLDER_PATTERN = re.compile(r"(?<![\w:/.])(?:~|\.\.?)?/(?:[^\s/'\"`:;,()]+/)*(?=[^\s/])")
"""Folders before a file's name: from the root, home, `.` or `..` on."""


def without_folders(text: str) -> str:
    """Return a message with files by their names alone: results are published, and folders name people and machines."""
    return FOLDER_PATTERN.sub("", text)
