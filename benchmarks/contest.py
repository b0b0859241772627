"""Who takes part: every row is a model, a runtime and a precision; every contestant a folder or file that verifies."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.peers import PEERS, YARDSTICK, Peer
from edgeecho.catalog import RUNTIMES, locate, model_folder, packaged_models
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.modelfile import check

TIMED_RUNTIMES = ("ort", "openvino")
PRECISIONS = ("fp32", "int8")
__all__ = ["PEERS", "PRECISIONS", "TIMED_RUNTIMES", "YARDSTICK", "Entry", "Peer", "entries", "prepare", "speckle_clip"]


@dataclass(frozen=True)
class Entry:
    """One row to be."""

    model: str
    """Name in the table."""
    source: str
    """What `locate` is given; for a peer, the folder it is exported to."""
    runtime: str
    precision: str | None
    """None when a single file decides."""

    @property
    def label(self) -> str:
        """Such as `unet3d ort int8`."""
        return " ".join(part for part in (self.model, self.runtime, self.precision) if part)


def entries(models: Sequence[str], runtimes: Sequence[str], precisions: Sequence[str], work_dir: Path) -> list[Entry]:
    """Every row that is asked for, each once, in order.

    A model file is one row: its own runtime, its own precision.

    Args:
        models: `default`, packaged models, peers, folders or files.
        runtimes: Of `TIMED_RUNTIMES`.
        precisions: Of `PRECISIONS`.
        work_dir: Where peers are exported to.

    Raises:
        ConfigError: If a name is unknown or nothing is asked for.
    """
    _known("runtime", runtimes, TIMED_RUNTIMES)
    _known("precision", precisions, PRECISIONS)
    if not models:
        raise ConfigError("no model to benchmark; name one, such as default")
    rows: list[Entry] = []
    for model in models:
        folder = None if model in PEERS else model_folder(model)
        if model in PEERS or folder:
            name = folder.name if folder else model
            source = str(folder or work_dir / model)
            rows += [Entry(name, source, r, p) for r in runtimes for p in precisions]
        elif Path(model).is_file():
            runtime = {suffix: name for name, suffix in RUNTIMES.items()}.get(Path(model).suffix)
            if runtime not in TIMED_RUNTIMES:
                raise ConfigError(f"{Path(model).name}: no exported graph; give an .onnx or .xml file")
            rows.append(Entry(Path(model).stem, model, runtime, None))
        else:
            known = ", ".join(["default", *(p.name for p in packaged_models()), *PEERS])
            raise ConfigError(
                f"unknown model {model!r}; known: {known}, or a folder or file that edgeecho export wrote"
            )
    return list(dict.fromkeys(rows))


def _known(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ConfigError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    if not given:
        raise ConfigError(f"no {what} to benchmark; known: {', '.join(known)}")


def prepare(name: str, rows: Iterable[Entry], frames_file: Path) -> str | None:
    """Export a peer's files where they are not there yet, in a process of its own, which frees its memory.

    Args:
        name: A key of `PEERS`.
        rows: Its rows.
        frames_file: The contest's clip, .npy; its shape is exported, its frames calibrate.

    Returns:
        None, or one line that says why it failed.
    """
    peer, rows = PEERS[name], list(rows)
    folder = Path(rows[0].source)
    t, _, size_px, _ = np.load(frames_file, mmap_mode="r").shape
    asked = {(row.runtime, row.precision) for row in rows} | {("ort", "fp32")}  # the fp32 graph is counted
    if all(_is_ready(folder, runtime, precision, peer, t, size_px) for runtime, precision in asked):
        return None
    job = {
        "name": name,
        "config": peer.config,
        "folder": str(folder),
        "frames_file": str(frames_file),
        "precisions": sorted({str(precision) for _, precision in asked}),
    }
    run = subprocess.run(
        [sys.executable, "-P", "-m", "edgeecho.benchmarks.prepare"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    if run.returncode == 0:
        return None
    last = (run.stderr.strip().splitlines() or [f"its process ended with {run.returncode}"])[-1]
    return f"{name} could not be exported: {last}"


def _is_ready(folder: Path, runtime: str, precision: str | None, peer: Peer, t: int, size_px: int) -> bool:
    try:
        spec = check(locate(folder, runtime, precision).path).spec
    except (ModelFileError, ConfigError):
        return False
    same = spec.family == peer.name and spec.config == peer.config
    return same and (spec.frames, spec.size_px, spec.precision) == (peer.frames(t), size_px, precision)


def speckle_clip(frames: int = 32, size_px: int = 112, seed: int = 0) -> np.ndarray:
    """The contest's clip: a beating dark cavity in a sector of speckle, uint8 (frames, 1, size_px, size_px)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px
    sector = np.abs(columns - 0.5) < 0.1 + 0.6 * rows
    beat = 0.2 + 0.04 * np.cos(2 * np.pi * np.arange(frames) / 20)[:, None, None]  # half the cavity's width
    cavity = ((columns - 0.5) / beat) ** 2 + ((rows - 0.5) / (1.6 * beat)) ** 2 < 1
    brightness = np.where(cavity, 12, 70) * sector
    speckle = rng.rayleigh(1.0, (frames, size_px, size_px))
    clip: np.ndarray = np.clip(brightness * speckle, 0, 255).astype(np.uint8)[:, None]
    return clip
