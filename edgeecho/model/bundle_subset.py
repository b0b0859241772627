"""Bundle with fewer files: the repository and the wheel contain a part of what `edgeecho export` writes.

    python -m edgeecho.model.bundle_subset FOLDER PATTERN...

keeps the model files that match one of the patterns, such as `*.onnx` or `*.int8.*`, and removes the others.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from edgeecho.model.index_seal import write_index_file


def keep_files(folder: Path, names: set[str]) -> None:
    """Remove the other files that a bundle's index lists, with their entries in the index and in the model card.

    It imports the standard library alone, since the build of the wheel calls it where nothing else is installed.

    Args:
        folder: A folder with a `bundle.json`; it is changed.
        names: Names of the files to keep; `bundle.json` and `CARD.md` always stay.
    """
    path, card = folder / "bundle.json", folder / "CARD.md"
    index: dict[str, Any] = json.loads(path.read_text())
    gone = set(index["files"]) - names - {card.name}
    if not gone:
        return
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    index["files"] = _without(index["files"], gone)
    index["graphs"] = _without(index["graphs"], gone)
    index["proof"] = [row for row in index["proof"] if row["file"] not in gone]
    if index["gate"]:
        index["gate"]["figures"] = [row for row in index["gate"]["figures"] if row["file"] not in gone]
    if card.is_file():
        lines = card.read_text().splitlines(keepends=True)
        card.write_text("".join(line for line in lines if not _is_about(line, gone)))
        index["files"][card.name] = hashlib.sha256(card.read_bytes()).hexdigest()
    write_index_file(path, index)


def _without(rows: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    return {name: value for name, value in rows.items() if name not in gone}


def _is_about(line: str, gone: set[str]) -> bool:
    """Whether a line of the card is a table row or a picture of a removed file."""
    return any(line.startswith(f"| {name} |") or (line.startswith("![") and f"({name})" in line) for name in gone)


if __name__ == "__main__":
    bundle, patterns = Path(sys.argv[1]), sys.argv[2:]
    keep_files(bundle, {path.name for pattern in patterns for path in bundle.glob(pattern)})
