"""End-to-end time of a whole cine, from its file to its figures, by stage; and the cine for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from edgeecho.benchmarks.run.result import STAGES
from edgeecho.cine import Cine, read_cine
from edgeecho.measure import keep_largest, measure
from edgeecho.names import name_for_ffmpeg
from edgeecho.preprocess import UPRIGHT, mask_from_network, to_network
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.cine_run import find_view
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.predictor import Predictor

FRAMES, HEIGHT_PX, WIDTH_PX, FPS = 64, 480, 640, 50.0
"""Number of frames, size in pixels, and frames per second of the cine."""


def draw_cine(frames: np.ndarray, path: Path) -> None:
    """Write the benchmark's clip as a video of a scanner: 640 x 480 in Motion JPEG, repeated to `FRAMES` frames.

    Args:
        frames: uint8 (T, 1, S, S).
        path: AVI to write.
    """
    with name_for_ffmpeg(path) as name:
        writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*"MJPG"), FPS, (WIDTH_PX, HEIGHT_PX))  # type: ignore[attr-defined]
        for i in range(FRAMES):
            picture = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
            left = (WIDTH_PX - HEIGHT_PX) // 2
            picture[:, left : left + HEIGHT_PX] = cv2.resize(frames[i % len(frames), 0], (HEIGHT_PX, HEIGHT_PX))
            writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        writer.release()


def time_stages(predictor: Predictor, path: Path, runs: int) -> dict[str, Any]:
    """Time each stage of `Predictor.segment` on the cine, several times.

    Args:
        predictor: Predictor of a clip model.
        path: File of the cine.
        runs: Number of timed runs, after one that warms up.

    Returns:
        `Row.end_to_end`: medians over the runs; `network_ms` windows the cine as the predictor does, context frames
        included.
    """
    spent: list[dict[str, float]] = []
    for _ in range(runs + 1):
        stage: dict[str, float] = {}
        with _clock(stage, "decode"):
            cine = read_cine(path)
        _segment(predictor, cine, stage)
        spent.append(stage)
    medians = {f"{name}_ms": round(median(s[name] for s in spent[1:]), 3) for name in STAGES}
    total = round(median(sum(s.values()) for s in spent[1:]), 3)
    t, h, w = cine.frames.shape
    return {"input": f"AVI (Motion JPEG), {w} x {h}", "frames": t, "n": runs, **medians, "total_ms": total}


def _segment(predictor: Predictor, cine: Cine, stage: dict[str, float]) -> np.ndarray:
    """Return the mask, uint8 (T, H, W), by the stages of `Predictor.segment` for a picture that is upright."""
    spec = predictor.spec
    height, width = cine.frames.shape[1:]
    with _clock(stage, "region"):
        view = find_view(predictor.look, spec, cine, None, UPRIGHT)
    with _clock(stage, "resize"):
        inputs = to_network(cine.frames, view.roi, spec.size_px)
    with _clock(stage, "network"):
        prob = predictor.probabilities(inputs)
    with _clock(stage, "mask"):
        mask = mask_from_network(prob, view.roi, height, width, spec.threshold)
        for frame in mask:
            keep_largest(frame)
        area_px = mask.sum(axis=(1, 2), dtype=np.int64).astype(np.float32)
    with _clock(stage, "measure"):
        history = FrameHistory(cine.fps)
        history.see(inputs)
        inside = view.inside(spec.size_px, (height, width), cine.pixel_shape)
        for picture in prob:
            history.score(MaskScore.of(picture, spec.threshold, inside))
        measure(mask, area_px, cine.fps, cine.spacing_mm, judge=BeatJudge(history))
    return mask


@contextmanager
def _clock(stage: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stage[name] = 1000 * (time.perf_counter() - start)
