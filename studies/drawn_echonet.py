"""How is reading of EchoNet-Dynamic timed where it is not at hand? In a folder of its form, with drawn hearts.

    python -m studies.drawn_echonet DIR [COUNT]

Videos are AVI files in MJPG of 112x112 pixels and 175 frames, as most of the release's are, with one traced beat each.
`studies.clip_speed` and `studies.training_speed` read it; the figures are in docs/training.md.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from edgeecho.synthetic.phantom import PhantomHeart

SIDE_PX, FRAMES, FPS = 112, 175, 50
DISCS = 20
HEADER = "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"


def write_set(folder: Path, count: int = 16, frames: int = FRAMES) -> Path:
    """Write videos, their list and their traces, and return the folder.

    Args:
        folder: Folder to make.
        count: Number of videos. Seven of eight are in the training split, the others validate.
        frames: Number of frames of each video; a drawn heart that is shorter is repeated.
    """
    (folder / "Videos").mkdir(parents=True, exist_ok=True)
    rows, traces = [HEADER], ["FileName,X1,Y1,X2,Y2,Frame"]
    for number in range(count):
        name, heart = f"0XDRAWN{number:04d}", PhantomHeart((2026, number), region_px=SIDE_PX)
        drawn, masks = heart.frames(heart.times()[:frames])
        shown = np.arange(frames) % len(drawn)
        write_avi(folder / "Videos" / f"{name}.avi", drawn[shown])
        areas = masks.sum(axis=(1, 2))
        for frame in (int(areas.argmax()), int(areas.argmin())):
            traces += [f"{name}.avi,{','.join(f'{v:g}' for v in row)},{frame}" for row in trace_of(masks[frame])]
        split = "VAL" if number % 8 == 7 else "TRAIN"
        rows.append(f"{name},{heart.ef_percent:.2f},0,0,{SIDE_PX},{SIDE_PX},{FPS},{frames},{split}")
    (folder / "FileList.csv").write_text("\n".join(rows) + "\n")
    (folder / "VolumeTracings.csv").write_text("\n".join(traces) + "\n")
    return folder


def write_avi(path: Path, frames: np.ndarray) -> None:
    """Write grey frames, uint8 (T, H, W), as an AVI file in MJPG."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, frames.shape[:0:-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()


def trace_of(mask: np.ndarray) -> np.ndarray:
    """Trace a cavity as EchoNet-Dynamic does: the long axis, here upright, then 20 discs across it.

    Args:
        mask: Cavity, uint8 {0, 1} (H, W), not empty.

    Returns:
        x1, y1, x2, y2 of each line in pixels, float64 (21, 4).
    """
    filled = np.flatnonzero(mask.any(axis=1))
    rows = np.linspace(filled[0], filled[-1], DISCS)
    nearest = filled[np.abs(filled[:, None] - rows).argmin(axis=0)]
    left = mask[nearest].argmax(axis=1)
    right = mask.shape[1] - 1 - mask[nearest, ::-1].argmax(axis=1)
    middle = float((left + right).mean() / 2)
    axis = [[middle, float(filled[0]), middle, float(filled[-1])]]
    return np.concatenate([axis, np.column_stack([left, rows, right, rows])])


if __name__ == "__main__":
    write_set(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
