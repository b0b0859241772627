"""Seal of a bundle's index: a SHA-256 of `bundle.json` in the file itself.

    python -m edgeecho.model.index_seal FOLDER...

writes it into the index of folders of earlier exports. The digest is that of the index as JSON with sorted keys, no
spaces and without the seal. As that of model files it proves integrity, not origin.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from edgeecho.files import atomic

SEAL_KEY = "seal_sha256"


def write_index_file(path: Path, index: dict[str, Any]) -> None:
    """Write an index with its seal, which takes the place of one that it has.

    Raises:
        OutputError: If it cannot be written.
    """
    plain = {key: value for key, value in index.items() if key != SEAL_KEY}
    with atomic(path) as temporary:
        temporary.write_text(json.dumps({**plain, SEAL_KEY: seal_of(plain)}, indent=1) + "\n")


def seal_of(index: dict[str, Any]) -> str:
    """Return the SHA-256 of an index without its seal, 64 hexadecimal digits."""
    plain = {key: value for key, value in index.items() if key != SEAL_KEY}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_sealed(index: dict[str, Any]) -> bool:
    """Whether an index has a seal; indexes of earlier exports have none."""
    return SEAL_KEY in index


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        place = Path(folder, "bundle.json")
        write_index_file(place, json.loads(place.read_text()))
