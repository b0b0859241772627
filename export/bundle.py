"""`edgeecho export`: one model in, one folder of proven files out, whole or not at all."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx

from edgeecho.errors import ConfigError, MissingExtraError, ModelFileError, OutputError
from edgeecho.export.calibrate import Frames, gather, packaged_cine
from edgeecho.export.proof import (
    MAX_LEVELS,
    WINDOWS,
    Verdict,
    compare_cuts,
    compare_levels,
    compare_masks,
    logit_error,
    require_all,
    run_file,
)
from edgeecho.export.quantize import count_int8, quantize
from edgeecho.export.sealed import write_onnx, write_openvino
from edgeecho.export.stream_files import write_streams
from edgeecho.modelfile import check
from edgeecho.runtime.catalog import model_folder
from edgeecho.spec import ModelSpec

Progress = Callable[[str], None]
FORMATS = ("onnx", "openvino")
FORMS = ("clip", "stream")
PRECISIONS = ("fp32", "int8")
ENGINES = ("onnx", "onnxruntime", "openvino", "onnxsim", "torch")
_SUFFIX = {"onnx": ".onnx", "openvino": ".xml"}
REAL_CLIPS = 4
"""Held-out clips that a stream is proven on, besides a moving cine."""


@dataclass(frozen=True)
class Bundle:
    """What an export wrote."""

    folder: Path
    spec: ModelSpec
    calibration: str | None
    verdicts: list[Verdict]


def find_source(model: str) -> Path:
    """The checkpoint to export, or where PyTorch is missing or only a graph is given, an fp32 ONNX graph.

    Raises:
        ModelFileError: If there is nothing that can be exported.
    """
    folder = model_folder(model)
    if folder is None:
        path = Path(model)
        if not path.exists():
            raise ModelFileError(f"no model {model!r}: neither a file nor a packaged model")
        return path
    checkpoints = sorted(folder.glob("*.safetensors"))
    graph = folder / "clip.fp32.onnx"
    if checkpoints and (_has_torch() or not graph.is_file()):
        return checkpoints[0]
    if graph.is_file():
        return graph
    raise ModelFileError(f"{folder.name}: holds neither a checkpoint nor clip.fp32.onnx to export from")


def _has_torch() -> bool:
    return find_spec("torch") is not None and find_spec("safetensors") is not None


def export(
    model: str,
    out: Path,
    *,
    precision: str = "int8",
    formats: tuple[str, ...] = FORMATS,
    forms: tuple[str, ...] = FORMS,
    calib: str | None = None,
    progress: Progress = lambda text: None,
) -> Bundle:
    """Export a model.

    Args:
        model: A packaged model's name, a checkpoint, a folder, or an fp32 ONNX clip graph of EdgeEcho's.
        out: Folder to write; must not exist, be empty or be an earlier bundle, which is replaced.
        precision: `int8` writes int8 beside fp32, `fp32` writes fp32 alone.
        formats: Of `onnx` and `openvino`.
        forms: Of `clip` and `stream`.
        calib: `KIND:DIR` to calibrate int8 on; None takes the cine inside pydicom.
        progress: Told what is being done.

    Raises:
        ConfigError: If an option is unknown.
        ModelFileError: If the model cannot be read.
        ExportError: If a written file does not say the same as the model.
        OutputError: If the folder cannot be written.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"unknown precision {precision!r}; known: {', '.join(PRECISIONS)}")
    if not formats or set(formats) - set(FORMATS):
        raise ConfigError(f"unknown format {','.join(formats)!r}; known: {', '.join(FORMATS)}")
    if not forms or set(forms) - set(FORMS):
        raise ConfigError(f"unknown form {','.join(forms)!r}; known: {', '.join(FORMS)}")
    if out.exists() and not (out.is_dir() and ((out / "bundle.json").is_file() or not any(out.iterdir()))):
        raise OutputError(f"{out}: exists and is no EdgeEcho bundle; choose another folder")
    source = find_source(model)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=out.absolute().parent, prefix=".export-"))
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}); choose another folder") from error
    try:
        bundle = _write(source, staging, precision, formats, forms, calib, progress)
        staging.chmod(0o755)
        _put(staging, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return replace(bundle, folder=out)


def _put(staging: Path, out: Path) -> None:
    """Let a finished bundle take an earlier one's place; files in there that no export wrote stay."""
    if not out.exists():
        staging.rename(out)
        return
    try:
        written = set(json.loads((out / "bundle.json").read_text())["files"]) if any(out.iterdir()) else set()
    except (ValueError, TypeError, KeyError) as error:
        raise OutputError(f"{out}: its bundle.json is not EdgeEcho's; choose another folder") from error
    for path in out.iterdir():
        if path.name not in written and not (staging / path.name).exists():
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, staging / path.name)
    old = Path(tempfile.mkdtemp(dir=out.absolute().parent, prefix=".replaced-"))
    out.rename(old / "bundle")
    try:
        staging.rename(out)
    except OSError:
        (old / "bundle").rename(out)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write(
    source: Path,
    folder: Path,
    precision: str,
    formats: tuple[str, ...],
    forms: tuple[str, ...],
    calib: str | None,
    progress: Progress,
) -> Bundle:
    data, spec, _ = check(source)
    if spec.form != "checkpoint" and (source.suffix != ".onnx" or spec.precision != "fp32"):
        raise ModelFileError(f"{source.name}: export starts from a checkpoint or an fp32 ONNX graph, not this file")
    frames = gather(calib, spec.size_px)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (t, spec.size_px, spec.size_px), dtype=np.uint8) for t in (1, 7)]
    proving = [*frames.held_out, *noise]
    verdicts: list[Verdict] = []
    if source.suffix == ".safetensors":
        progress("exporting the clip graph")
        shutil.copyfile(source, folder / f"{spec.name}.safetensors")
        graph, against = _from_checkpoint(source, spec, proving, verdicts), "PyTorch"
        reference = run_file(source, proving)
    else:
        graph, against = onnx.load_from_string(data), source.name
        reference = run_file(source, proving)
    fp32 = replace(spec, form="clip", precision="fp32")
    graphs = {"fp32": (graph, fp32)}
    if precision == "int8":
        progress(f"quantizing on {frames.source}")
        graphs["int8"] = (quantize(graph, frames.calibration), replace(fp32, precision="int8"))
        done, convolutions = count_int8(graphs["int8"][0])
        if done < convolutions:
            progress(f"{convolutions - done} of {convolutions} convolutions stay in float")
    for name, (built, its_spec) in graphs.items():
        for kind in formats:
            path = folder / f"clip.{name}{_SUFFIX[kind]}"
            progress(f"writing and proving {path.name}")
            (write_onnx if kind == "onnx" else write_openvino)(path, built, its_spec)
            answers = run_file(path, proving)
            if name == "fp32":
                verdicts.append(compare_levels(path.name, against, answers, reference))
            else:
                n = len(frames.held_out)
                verdicts.append(compare_masks(path.name, against, answers[:n], reference[:n], spec.threshold))
    require_all(verdicts)
    cine = _moving_cine(spec.size_px)
    for name, (built, its_spec) in graphs.items():
        if "clip" in forms and "onnx" in formats:
            progress(f"cutting cines for clip.{name}.onnx")
            limit = MAX_LEVELS if name == "fp32" else 0
            verdicts.append(compare_cuts(folder / f"clip.{name}.onnx", cine, limit))
        if "stream" in forms:
            suffixes, real = [_SUFFIX[kind] for kind in formats], [cine, *frames.held_out[:REAL_CLIPS]]
            verdicts += write_streams(folder, built, its_spec, suffixes, real, noise, progress)
    require_all(verdicts)
    if "clip" not in forms:
        for path in folder.glob("clip.*"):
            path.unlink()
    _write_index(folder, spec, frames if precision == "int8" else None, verdicts)
    return Bundle(folder, spec, frames.source if precision == "int8" else None, verdicts)


def _moving_cine(size_px: int) -> np.ndarray:
    """A frame more than the longest window, of pydicom's cine to and fro, else of noise: uint8 (T, S, S)."""
    try:
        cine = packaged_cine(size_px)
    except MissingExtraError:
        cine = np.random.default_rng(1).integers(0, 256, (max(WINDOWS), size_px, size_px), dtype=np.uint8)
    return np.concatenate([cine, cine[::-1]])[: max(WINDOWS) + 1]


def _from_checkpoint(
    source: Path, spec: ModelSpec, proving: list[np.ndarray], verdicts: list[Verdict]
) -> onnx.ModelProto:
    import torch

    from edgeecho.export.graph import clip_graph
    from edgeecho.nn.checkpoint import load_checkpoint

    network, _ = load_checkpoint(source)
    graph = clip_graph(network, spec.size_px)
    clip = max(proving, key=len)
    with torch.inference_mode():
        logits = network.forward_frames(torch.from_numpy(clip[:, None].copy()).float() * (1.0 / 255.0)).numpy()
    verdicts.append(logit_error(graph, clip, logits, "clip.fp32 graph"))
    return graph


def _write_index(folder: Path, spec: ModelSpec, frames: Frames | None, verdicts: list[Verdict]) -> None:
    files = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}
    index = {
        "name": spec.name,
        "licence": spec.licence,
        "intended_use": spec.intended_use,
        "spec": json.loads(spec.to_json()),
        "files": files,
        "calibration": frames and frames.source,
        "proof": [asdict(v) for v in verdicts],
        "engines": {name: version(name) for name in ENGINES if find_spec(name)},
    }
    (folder / "bundle.json").write_text(json.dumps(index, indent=1) + "\n")
