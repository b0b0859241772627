"""Device files of the page's models: `python web/models.py FOLDER MODEL...`, the default first.

A MODEL with `:native` behind its name is for the native engine, which needs no onnxruntime-web.
"""

import json
import sys
from pathlib import Path

from edgeecho.export.write.native_device_file import write_native_device_file
from edgeecho.model.device_copy import find_stream, write_device_file


def write_models(folder: Path, models: list[str]) -> None:
    """Write the device file of the int8 stream of each model, and `models.json`, the list of them.

    Args:
        folder: Folder of the page.
        models: Names of packaged models, or folders that `edgeecho export` wrote; `:native` behind one takes the
            native engine.
    """
    listed = []
    for model in models:
        name, _, engine = model.partition(":")
        is_native = engine == "native"
        stream = find_stream(name, "int8")
        partial = folder / "model.edgeecho"
        spec = (write_native_device_file if is_native else write_device_file)(stream, partial)
        shown = f"{spec.name} native" if is_native else spec.name
        file = f"{shown.replace(' ', '.')}.edgeecho"
        partial.rename(folder / file)
        listed.append({"name": shown, "file": file, "engine": "native" if is_native else "onnxruntime"})
    (folder / "models.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_models(Path(sys.argv[1]), sys.argv[2:])
