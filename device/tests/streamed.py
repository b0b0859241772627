"""A cine streamed through C, by the library or by the example, and through Python: masks, beats and verdicts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))  # in the tarball of dist.py
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))  # in the repository

from edgeecho_ctypes import SEARCH_ORIENTATION, SEARCH_REGION, VERDICTS, Answer, Device

from edgeecho.cine import Cine
from edgeecho.preprocess import AUTO, FLIPS, Roi
from edgeecho.reasons import Finding, Level, Reason, verdict_of
from edgeecho.runtime import FrameResult, stream


class Judged(NamedTuple):
    """View and verdict of one frame."""

    verdict: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    roi: tuple[int, ...]
    flip: str
    is_inverted: bool


class Detail(NamedTuple):
    """Answer to one frame beside its mask: probability, outline, reasons, time, and why there is no beat yet."""

    prob: bytes
    outline: bytes
    reasons: tuple[str, ...]
    time_s: float | None
    no_beat: str | None


class StreamResult(NamedTuple):
    """Masks, areas, beats and verdicts of a cine."""

    masks: np.ndarray
    areas: list[float]
    confidences: list[float]
    judged: list[Judged]
    beats: list[dict[str, Any]]
    ef_percent: float | None
    final: tuple[str, tuple[str, ...], tuple[str, ...]]
    """Verdict, reasons and notes at the end."""
    details: list[Detail]
    """Details of each frame; empty where the program does not print them."""
    frames_dropped: int


RunC = Callable[[Cine, Roi | None, str], StreamResult]
"""Function that streams a cine through C with a region and a flip; None and `auto` find them."""


def by_library(device: Device, cine: Cine, roi: Roi | None, flip: str) -> StreamResult:
    """Stream a cine through the library."""
    search = (0 if roi else SEARCH_REGION) | (SEARCH_ORIENTATION if flip == AUTO else 0)
    number = 0 if flip == AUTO else FLIPS.index(flip)
    size = cine.frames.shape[2], cine.frames.shape[1]
    device.start(*size, cine.fps or 0, cine.spacing_mm or (0, 0), search=search, flip=number)
    region = (roi.x, roi.y, roi.width, roi.height) if roi else (0, 0, 0, 0)
    pushed = [device.push(frame, region, time) for frame, time in zip(cine.frames, times_of(cine), strict=True)]
    found = [a for a in pushed if a] + list(device.flush())
    results, last = [a.result for a in found], device.read()
    assert [r["frame"] for r in results] == list(range(len(cine.frames)))

    def judged(r: dict[str, Any]) -> Judged:
        reasons, notes = (tuple(device.codes(r[name])) for name in ("reasons", "notes"))
        place = r["roi_x"], r["roi_y"], r["roi_width"], r["roi_height"]
        return Judged(VERDICTS[r["verdict"]], reasons, notes, place, FLIPS[r["flip"]], bool(r["inverted"]))

    def detail(a: Answer) -> Detail:
        r, none = a.result, device.codes(1 << a.result["no_beat_reason"])
        reasons = tuple(device.codes(r["frame_reasons"]))
        return Detail(
            a.prob.tobytes(), a.outline.tobytes(), reasons, r["time_s"], none[0] if r["no_beat_reason"] else None
        )

    beats = [beat | {"reasons": device.codes(beat["reasons"])} for beat in device.beats()]
    return StreamResult(
        masks=np.stack([a.mask for a in found]),
        areas=[r["area_px"] for r in results],
        confidences=[r["confidence"] for r in results],
        judged=[judged(r) for r in results],
        beats=beats,
        ef_percent=last["ef_percent"],
        final=judged(last)[:3],
        details=[detail(a) for a in found],
        frames_dropped=last["frames_dropped"],
    )


def times_of(cine: Cine) -> list[float]:
    """Times of the frames in seconds; 0 if they are evenly spaced."""
    return [0.0] * len(cine.frames) if cine.times_s is None else list(map(float, cine.times_s))


def by_program(program: list[str], model: Path, cine: Cine, roi: Roi | None, flip: str) -> StreamResult:
    """Stream a cine through `push_frames`, which finds the orientation or takes the picture as upright."""
    t, height, width = cine.frames.shape
    with tempfile.TemporaryDirectory() as folder:
        masks = Path(folder) / "masks.pgm"
        command = [*program, str(model), f"size={width}x{height}", f"masks={masks}"]
        command += [f"roi={roi.x},{roi.y},{roi.width},{roi.height}"] if roi else []
        command += ["search"] if flip == AUTO else []
        command += [f"fps={float(cine.fps)!r}"] if cine.fps else []
        command += ["spacing={!r},{!r}".format(*map(float, cine.spacing_mm))] if cine.spacing_mm else []
        done = subprocess.run(command, input=cine.frames.tobytes(), capture_output=True, check=True)
        header = f"P5\n{width} {height}\n1\n".encode()
        data = np.frombuffer(masks.read_bytes(), np.uint8).reshape(t, -1)[:, len(header) :]
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    rows = [row for row in lines if "frame" in row]
    verdicts = [(row["verdict"], tuple(row["reasons"]), tuple(row["notes"])) for row in (*rows, last)]
    views = [(tuple(row["roi"]), FLIPS[row["flip"]], bool(row["inverted"])) for row in rows]
    return StreamResult(
        masks=data.reshape(t, height, width),
        areas=[row["area_px"] for row in rows],
        confidences=[row["confidence"] for row in rows],
        judged=[Judged(*verdict, *view) for verdict, view in zip(verdicts, views, strict=False)],
        beats=[row for row in lines if "ed_frame" in row],
        ef_percent=last["ef_percent"],
        final=verdicts[-1],
        details=[],
        frames_dropped=0,
    )


def by_python(graph: Path, cine: Cine, roi: Roi | None, flip: str) -> StreamResult:
    """Stream a cine through Python."""
    python = stream(graph, threads=1, fps=cine.fps, spacing_mm=cine.spacing_mm, roi=roi, flip=flip)
    times = [None] * len(cine.frames) if cine.times_s is None else times_of(cine)
    found, no_beat = [], []
    for frame, time in zip(cine.frames, times, strict=True):
        if result := python.push(frame, time):
            found.append(result)
            no_beat.append(python.no_beat)
    found += python.flush()
    assert python.measured is not None

    def judged(r: FrameResult) -> Judged:
        place, way = r.view.roi, r.view.orientation
        region = place.x, place.y, place.width, place.height
        return Judged(*verdict(r.findings), region, way.flip, way.inverted)

    beats = [beat.to_dict() for beat in python.measured.beats]
    ends = verdict(python.findings)
    return StreamResult(
        masks=np.stack([r.mask for r in found]),
        areas=[r.area_px for r in found],
        confidences=[r.confidence for r in found],
        judged=[judged(r) for r in found],
        beats=[
            beat | {"reasons": [r.code for r in sorted({Reason[c.upper()] for c in beat["reasons"]})]} for beat in beats
        ],
        ef_percent=None if ends[0] == VERDICTS[2] else python.measured.ef_percent,
        final=ends,
        details=[
            Detail(r.prob.tobytes(), r.outline.tobytes(), tuple(reason.code for reason in r.reasons), r.time_s, none)
            for r, none in zip(found, codes_of(no_beat, len(found)), strict=True)
        ],
        frames_dropped=python.frames_dropped,
    )


def codes_of(no_beat: list[Finding | None], frames: int) -> list[str | None]:
    """Codes of the reasons why there is no beat; for the frames of the flush, whose are not known, an empty text."""
    return [finding.reason.code if finding else None for finding in no_beat] + [""] * (frames - len(no_beat))


def verdict(findings: tuple[Finding, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Verdict, codes of reasons from review on, and codes of notes, in order of their numbers."""
    levels = (lambda level: level >= Level.REVIEW), (lambda level: level == Level.NOTE)
    reasons, notes = (
        tuple(reason.code for reason in sorted({f.reason for f in findings if is_meant(f.level)}))
        for is_meant in levels
    )
    return verdict_of(findings), reasons, notes
