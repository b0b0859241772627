"""Index of a bundle, `bundle.json`: all facts about an export that a program, a buyer or an auditor needs."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from edgeecho.export.check.figures import Figure
from edgeecho.export.check.proof import CheckResult
from edgeecho.export.options import Options
from edgeecho.export.pipeline import Bundle
from edgeecho.model.index_seal import write_index_file
from edgeecho.model.sealed_file import read_verified
from edgeecho.revision import revision

GRAPHS = (".onnx", ".ort", ".xml")
SOUP = {
    "onnxruntime": "runs the ONNX graphs on the device",
    "openvino": "runs the OpenVINO graphs on the device",
    "numpy": "resampling and measurement in Python",
    "opencv-python-headless": "reading and drawing pictures in Python",
    "scipy": "measurement in Python",
    "torch": "holds the network that was exported",
    "onnx": "writes the graphs",
    "onnxscript": "turns the network into a graph",
    "onnxsim": "simplifies the graph",
}
"""Software of unknown provenance (IEC 62304) that made these files or runs them, with its purpose."""
MODULES = {"opencv-python-headless": "cv2"}


def write_index(bundle: Bundle, options: Options) -> None:
    """Write `bundle.json`, which lists every other file of the folder; the same export gives the same bytes."""
    folder, spec = bundle.folder, bundle.spec
    files = sorted(folder.iterdir())
    index = {
        "name": spec.name,
        "licence": spec.licence,
        "intended_use": spec.intended_use,
        "command": options.command(spec.name),
        "revision": revision(),
        "spec": json.loads(spec.to_json()),
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
        "graphs": {p.name: json.loads(read_verified(p).spec.to_json()) for p in files if p.suffix in GRAPHS},
        "calibration": bundle.calibration,
        "gate": bundle.gate and _gate(bundle, options),
        "proof": plain_rows(bundle.proof),
        "engines": {row["name"]: row["version"] for row in _soup()},
        "soup": _soup(),
    }
    write_index_file(folder / "bundle.json", index)


def _gate(bundle: Bundle, options: Options) -> dict[str, Any]:
    return {
        "accepted": not bundle.refusals,
        "refusals": bundle.refusals,
        "cines": bundle.gate_cines,
        "seed": options.gate_seed,
        "limits": asdict(options.limits),
        "figures": plain_rows(bundle.gate),
        "kept_float": bundle.kept_float,
        "costs": [{"in_float": name, "figure_left": value} for name, value in bundle.costs],
    }


def plain_rows(found: Sequence[CheckResult | Figure]) -> list[dict[str, Any]]:
    """Turn results and figures into JSON values, in which an infinity is null."""
    rows = [asdict(each) for each in found]
    return [{k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()} for row in rows]


def _soup() -> list[dict[str, str]]:
    return [
        {"name": name, "version": version(name), "purpose": purpose}
        for name, purpose in SOUP.items()
        if find_spec(MODULES.get(name, name))
    ]
