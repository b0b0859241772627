"""Attacks on model files: flipped bytes, forgeries that are sealed again, and a forged index.

    python -m tests.robustness.models --flips 3000 --forgeries 300

A flipped file must be refused; a forged one must be refused or give the shapes that its spec says, by an
`EdgeEchoError` alone, with no file opened outside the model's folder.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import edgeecho
from edgeecho.errors import EdgeEchoError
from edgeecho.model.integrity import verify_model
from edgeecho.model.sealed_file import UNSEALED, read_verified, seal
from tests.robustness.child import ROOT
from tests.robustness.mutate import mutated

NANO = ROOT / "models" / "cl_unet_nano"
_FILES = ("stream.int8.onnx", "clip.int8.onnx", "stream.int8.xml", "cl_unet_nano.safetensors", "bundle.json")
_SPECS: tuple[tuple[str, Any], ...] = (
    ("size_px", 2**40), ("size_px", 48), ("size_px", -16), ("threshold", 0), ("threshold", 1e9), ("frames", -1),
    ("frames", 2**40), ("frames", 7), ("params", -5), ("params", 2**70), ("context_frames", [4, 10**9]),
    ("context_frames", [0, 0, 0]), ("name", "\x1b[31mred"), ("name", 5), ("trained_on", "a\0b"), ("licence", "x" * 500),
    ("form", "clip"), ("form", "orbit"), ("precision", "int9000"), ("state", []), ("state", [["a", [1], "uint8", 0]]),
    ("state", "none"), ("config", {"widths": [10**12] * 4}), ("config", {"repeats": 10**9}), ("config", []),
    ("family", "unet3d"), ("family", "../../etc"), ("lowering", "\u202e"), ("format_version", 99), ("unknown", 1),
)  # fmt: skip


def flip_files(flips: int, seed: int = 0) -> dict[str, object]:
    """Damage the files of a packaged model, one at a time, and verify its folder."""
    rng = np.random.default_rng(seed)
    faults, sound = [], 0
    with tempfile.TemporaryDirectory(prefix="flips-") as work:
        folder = Path(work, NANO.name)
        shutil.copytree(NANO, folder)
        for number in range(flips):
            path = folder / _FILES[number % len(_FILES)]
            data = path.read_bytes()
            place = int(rng.integers(len(data)))
            changed = bytearray(data)
            changed[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(changed)
            try:
                held = not (verify_model(str(path)) if path.suffix != ".json" else verify_model(str(folder))).errors
            except EdgeEchoError:
                held = False
            except Exception as error:
                held = False
                faults.append(f"{path.name}, byte {place}: {type(error).__name__}: {str(error)[:80]}")
            sound += held
            if held:
                faults.append(f"{path.name}, byte {place}: taken as sound")
            path.write_bytes(data)
    return {"flips": flips, "taken_as_sound": sound, "faults": faults}


def forge_specs() -> dict[str, object]:
    """Seal files with absurd specs, and open them."""
    return _open_all([_with_spec(key, value) for key, value in _SPECS] + [_external(), _duplicate(), _deep(), _nan()])


def forge_graphs(forgeries: int, seed: int = 0) -> dict[str, object]:
    """Damage graphs anywhere, seal them again, and open and run them."""
    rng, files = np.random.default_rng(seed), []
    data = (NANO / "stream.int8.onnx").read_bytes()
    for number in range(forgeries):
        made = mutated(data, rng)
        try:
            files.append((f"mutation {number}", ".onnx", _sealed_again(made)))
        except EdgeEchoError:  # the place of the seal is gone
            continue
    return _open_all(files)


Forgery = tuple[str, str, bytes]


def _open_all(files: list[Forgery]) -> dict[str, object]:
    faults, refused, opened = [], 0, 0
    frame = np.zeros((64, 64), np.uint8)
    frame[8:56, 8:56] = 90
    with tempfile.TemporaryDirectory(prefix="forged-") as work:
        for name, suffix, data in files:
            path = Path(work, f"forged{suffix}")
            path.write_bytes(data)
            try:
                live = edgeecho.stream(path, threads=1)
                live.push(frame)
                opened += 1
            except EdgeEchoError as error:
                refused += 1
                if not str(error).replace("\n", "").isprintable():
                    faults.append(f"{name}: prints {str(error)[:60]!r}")
            except Exception as error:
                faults.append(f"{name}: {type(error).__name__}: {str(error)[:80]}")
    return {"forgeries": len(files), "refused": refused, "opened": opened, "faults": faults}


def _edit(change: Callable[[Any], None]) -> bytes:
    """Return the stream graph with a change of its message, sealed again."""
    import onnx

    model = onnx.load_from_string((NANO / "stream.int8.onnx").read_bytes())
    change(model)
    return _sealed_again(model.SerializeToString(deterministic=True))


def _sealed_again(data: bytes) -> bytes:
    from edgeecho.model.sealed_file import _seal_span

    start, end = _seal_span(data)
    return seal(data[:start] + UNSEALED.encode() + data[end:])


def _set_spec(model: Any, text: str) -> None:
    next(entry for entry in model.metadata_props if entry.key == "edgeecho_spec").value = text


def _with_spec(key: str, value: Any) -> Forgery:
    spec = json.loads(read_verified(NANO / "stream.int8.onnx").spec.to_json()) | {key: value}
    return f"{key} {str(value)[:20]!r}", ".onnx", _edit(lambda model: _set_spec(model, json.dumps(spec)))


def _external() -> Forgery:
    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.data_location = 1
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "pyproject.toml"

    return "external data", ".onnx", _edit(change)


def _duplicate() -> Forgery:
    text = read_verified(NANO / "stream.int8.onnx").spec.to_json()
    return "a key twice", ".onnx", _edit(lambda model: _set_spec(model, text[:-1] + ',"threshold":1}'))


def _deep() -> Forgery:
    text = '{"format_version":1,"config":' + '{"a":' * 100_000 + "1" + "}" * 100_001
    return "deep JSON", ".onnx", _edit(lambda model: _set_spec(model, text))


def _nan() -> Forgery:
    def change(model: Any) -> None:
        import onnx

        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                values = onnx.numpy_helper.to_array(tensor).copy()
                values[...] = np.nan
                tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))

    return "weights that are no number", ".onnx", _edit(change)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=3000)
    parser.add_argument("--forgeries", type=int, default=300)
    given = parser.parse_args()
    figures = {"flips": flip_files(given.flips), "specs": forge_specs(), "graphs": forge_graphs(given.forgeries)}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
