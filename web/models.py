"""Device files of the page's models: `python web/models.py FOLDER MODEL...`, the default first.

A MODEL with `:native` behind its name is for the native engine, which needs no onnxruntime-web.
"""

import json
import sys
from pathlib import Path

from edgeecho.export.write.native_device_file import write_native_device_file
from edgeecho.model.device_copy import find_stream, write_device_file
from edgeecho.runtime.ef_interval import MEDIAN_FACTOR, NORMAL_QUANTILE, errors_of


def write_models(folder: Path, models: list[str]) -> None:
    """Write the device file of the int8 stream of each model, and `models.json`: names, files, errors of EF.

    Args:
        folder: Folder of the page.
        models: Names of packaged models, or folders that `edgeecho export` wrote; `:native` behind one takes the
            native engine.
    """
    listed = []
    for model in models:
        name, _, kind = model.partition(":")
        is_native = kind == "native"
        stream = find_stream(name, "int8")
        partial = folder / "model.edgeecho"
        spec = (write_native_device_file if is_native else write_device_file)(stream, partial)
        shown = f"{spec.name} native" if is_native else spec.name
        file = f"{shown.replace(' ', '.')}.edgeecho"
        partial.rename(folder / file)
        engine = "native" if is_native else "onnxruntime"
        listed.append({"name": shown, "file": file, "engine": engine, "ef_error": _ef_error(spec.name)})
    (folder / "models.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def _ef_error(model: str) -> dict[str, float] | None:
    """Return what the page needs for the interval of EF; None if the error of a model is not known."""
    errors = errors_of(model)
    factor = NORMAL_QUANTILE * MEDIAN_FACTOR
    return {"low": errors[0], "high": errors[1], "deviation_factor": factor} if errors else None


if __name__ == "__main__":
    write_models(Path(sys.argv[1]), sys.argv[2:])
