"""Device files of the page's models: `python web/models.py FOLDER MODEL...`, the default first."""

import json
import sys
from pathlib import Path

from edgeecho.model.device_copy import find_stream, write_device_file


def write_models(folder: Path, models: list[str]) -> None:
    """Write the device file of the int8 stream of each model, and `models.json`, the list of them.

    Args:
        folder: Folder of the page.
        models: Names of packaged models, or folders that `edgeecho export` wrote.
    """
    listed = []
    for model in models:
        stream = find_stream(model, "int8")
        partial = folder / "model.edgeecho"
        spec = write_device_file(stream, partial)
        file = f"{spec.name}.edgeecho"
        partial.rename(folder / file)
        listed.append({"name": spec.name, "file": file})
    (folder / "models.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_models(Path(sys.argv[1]), sys.argv[2:])
