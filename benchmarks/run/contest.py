"""The contest's clip, and the files of the peers that run it."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS, STORED, Peer
from edgeecho.benchmarks.run.entries import Entry
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import locate
from edgeecho.model.sealed_file import check

WRITTEN = {"ort": (".onnx",), "openvino": (".xml", ".bin")}
"""Runtime to the suffixes of a peer's files."""


def prepare(name: str, rows: Iterable[Entry], frames_file: Path) -> str | None:
    """Export the files of a peer's rows where they are not there yet, in a process of its own, which frees its memory.

    Where no row runs an ONNX file, one of fp32 is exported too, to count its operations. Files in the folder of another
    network or clip that are not written anew are removed: nothing may be counted or run on them.

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
    asked = {(row.runtime, str(row.stored)) for row in rows}
    if not any(runtime == "ort" for runtime, _ in asked):
        asked.add(("ort", "fp32"))
    known = [(runtime, precision) for runtime in WRITTEN for precision in STORED]
    ready = {file for file in known if _is_ready(folder, *file, peer, t, size_px)}
    for runtime, precision in set(known) - asked - ready:
        for suffix in WRITTEN[runtime]:
            (folder / f"clip.{precision}{suffix}").unlink(missing_ok=True)
    if asked <= ready:
        return None
    job = {
        "name": name,
        "config": peer.config,
        "folder": str(folder),
        "frames_file": str(frames_file),
        "formats": {p: sorted(r for r, of in asked if of == p) for p in STORED if any(of == p for _, of in asked)},
    }
    run = subprocess.run(
        [sys.executable, "-P", "-m", "edgeecho.benchmarks.run.prepare"],
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


def _is_ready(folder: Path, runtime: str, precision: str, peer: Peer, t: int, size_px: int) -> bool:
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
