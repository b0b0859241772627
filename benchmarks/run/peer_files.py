"""Model files of peers: exported where they are missing, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS, STORED_PRECISIONS, Peer
from edgeecho.benchmarks.run.entries import Entry
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import locate
from edgeecho.model.sealed_file import read_verified

FILE_SUFFIXES = {"ort": (".onnx",), "openvino": (".xml", ".bin")}
"""Runtime to the suffixes of a peer's files."""


def export_peer_files(name: str, rows: Iterable[Entry], frames_file: Path) -> str | None:
    """Export the files of a peer's rows that are missing, in a process of its own, which frees its memory.

    Where no row runs an ONNX file, one of fp32 is exported too, to count its operations. Files of another network or
    clip in the folder are removed if they are not written anew, so that nothing is counted or run on them.

    Args:
        name: A key of `PEERS`.
        rows: Entries of the peer.
        frames_file: The benchmark's clip, .npy; its shape is exported, its frames calibrate.

    Returns:
        None, or the reason of a failure in one line.
    """
    peer, rows = PEERS[name], list(rows)
    folder = Path(rows[0].source)
    t, _, size_px, _ = np.load(frames_file, mmap_mode="r").shape
    wanted = {(row.runtime, str(row.stored)) for row in rows}
    if not any(runtime == "ort" for runtime, _ in wanted):
        wanted.add(("ort", "fp32"))
    possible = [(runtime, precision) for runtime in FILE_SUFFIXES for precision in STORED_PRECISIONS]
    ready = {file for file in possible if _is_ready(folder, *file, peer, t, size_px)}
    for runtime, precision in set(possible) - wanted - ready:
        for suffix in FILE_SUFFIXES[runtime]:
            (folder / f"clip.{precision}{suffix}").unlink(missing_ok=True)
    if wanted <= ready:
        return None
    job = {
        "name": name,
        "config": peer.config,
        "folder": str(folder),
        "frames_file": str(frames_file),
        "formats": {
            p: sorted(r for r, of in wanted if of == p) for p in STORED_PRECISIONS if any(of == p for _, of in wanted)
        },
    }
    run = subprocess.run(
        [sys.executable, "-P", "-m", "edgeecho.benchmarks.run.export_peer"],
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
        spec = read_verified(locate(folder, runtime, precision).path).spec
    except (ModelFileError, ConfigError):
        return False
    same = spec.family == peer.name and spec.config == peer.config
    return same and (spec.frames, spec.size_px, spec.precision) == (peer.frames(t), size_px, precision)
