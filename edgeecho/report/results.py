"""Files of one segmented cine: figures, masks, the cine with its outline, the area curve."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.cine.result_files import SUFFIXES
from edgeecho.files import atomic
from edgeecho.names import printable
from edgeecho.report.curve import write_curve
from edgeecho.report.marks import Marks
from edgeecho.report.overlay import write_overlay
from edgeecho.runtime import Segmentation


def write_results(folder: Path, stem: str, source: str, cine: Cine, result: Segmentation) -> Sequence[Path]:
    """Write `stem`.json, .npz, .webm and .png; each appears whole or not at all.

    Args:
        folder: Folder of the files; made if it is missing.
        stem: Name of the files without suffix.
        source: Path of the input as the user gave it.
        cine: Cine that was segmented.
        result: Segmentation of the cine.

    Raises:
        OutputError: If a file cannot be written.
    """
    paths = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    masks, video, picture, figures = paths
    times_s = cine.times_s if result.fps == cine.fps else None
    marks = Marks.of(result)
    arrays = io.BytesIO()
    np.savez_compressed(arrays, mask=result.mask, area_px=result.area_px)
    with atomic(masks) as temporary:
        temporary.write_bytes(arrays.getvalue())
    write_overlay(
        video,
        cine.frames,
        result.mask,
        result.fps,
        area_px=result.area_px,
        marks=marks,
        times_s=times_s,
    )
    write_curve(
        picture,
        result.area_px,
        result.fps if times_s is None else None,  # over frames where these are not evenly spaced
        marks,
        printable(stem),
    )
    with atomic(figures) as temporary:
        temporary.write_text(json.dumps({"input": printable(source), **result.to_dict()}, indent=1) + "\n")
    return paths
