"""Do drawn cines look like real ones? The same statistics of expert-labelled frames and of phantoms, side by side.

    python -m studies.phantom_statistics camus:CAMUS phantom:

Of each data set the training split is taken. Zones are found by the mask of the ventricle alone, in the same way for
all: its middle, the wall on either side, and what lies behind its base.
"""

import sys

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.measure import discs_of, long_axis
from edgeecho.preprocess import find_sector

PIXEL_MM = 0.5
"""Frames are resampled to square pixels of this side, so that local statistics are those of the same area."""
MOST = 400
"""Labelled frames of a data set, spread over its items."""
ROWS = {
    "sector_width": "width of the sector / height",
    "sector_mm": "height of the sector, mm",
    "length_mm": "length of the ventricle, mm",
    "width_ratio": "largest diameter / length",
    "base_ratio": "diameter near the base / largest",
    "area_share": "area / area of the sector",
    "tilt_deg": "tilt of its axis, degrees, clockwise",
    "apex_depth": "depth of the apex / height of the sector",
    "base_depth": "depth of the base / height of the sector",
    "apex_side": "apex right of the sector's middle / height",
    "base_side": "base right of the sector's middle / height",
    "cavity": "grey: middle of the cavity",
    "septum": "grey: wall on the left",
    "lateral": "grey: wall on the right",
    "apex": "grey: wall at the apex",
    "base": "grey: 3 mm about the base",
    "atrium": "grey: behind the base",
    "far": "grey: deepest eighth of the sector",
    "near": "grey: nearest eighth of the sector",
    "contrast": "grey: both walls less cavity",
    "cavity_sd": "grey, SD in 2.5 mm: cavity",
    "wall_sd": "grey, SD in 2.5 mm: wall",
    "cavity_skew": "skew of grey in the cavity",
    "fine": "SD of neighbours' difference / SD, across, cavity",
    "fine_down": "SD of neighbours' difference / SD, down, cavity",
    "black": "share of the sector below grey 4",
}


def main() -> None:
    """Print median (5th to 95th percentile) for each data set named."""
    cv2.setNumThreads(1)
    tables = [measure_all(text) for text in sys.argv[1:]]
    if not tables:
        sys.exit("usage: python -m studies.phantom_statistics KIND:DIR [KIND:DIR ...]")
    lines = [
        f"{'':52}" + "".join(f"{text.partition(':')[0]:>28}" for text in sys.argv[1:]),
        f"{'labelled frames':52}" + "".join(f"{len(table):>28}" for table in tables),
    ]
    for key, name in ROWS.items():
        cells = []
        for table in tables:
            low, middle, high = np.nanpercentile([row[key] for row in table], (5, 50, 95))
            cells.append(f"{middle:.3g} ({low:.3g} to {high:.3g})")
        lines.append(f"{name:52}" + "".join(f"{cell:>28}" for cell in cells))
    print("\n".join(lines))


def measure_all(text: str) -> list[dict[str, float]]:
    """Statistics of labelled frames of the training split; of a cine with phases ED and ES alone count."""
    items = open_data(text).items("train")
    rows = []
    for item in items[:: max(1, len(items) // MOST)]:
        cine = item.read()
        if cine.spacing_mm is None:
            continue
        frames = [i for i in cine.labels if i in cine.phases]
        for i in frames[:2]:
            rows.append(measure_frame(cine, i))
    return rows


def measure_frame(cine: Cine, index: int) -> dict[str, float]:
    """Geometry and grey levels of one labelled frame."""
    assert cine.spacing_mm is not None
    h, w = cine.frames.shape[1:]
    size = (round(w * cine.spacing_mm[1] / PIXEL_MM), round(h * cine.spacing_mm[0] / PIXEL_MM))
    image = cv2.resize(cine.frames[index], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = (cv2.resize(cine.labels[index] * 255, size, interpolation=cv2.INTER_AREA) >= 128).astype(np.uint8)
    sector = cv2.resize(find_sector(cine.frames).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    spacing = (PIXEL_MM, PIXEL_MM)
    discs, axis = discs_of(mask, spacing), long_axis(mask, spacing)
    rows = np.flatnonzero(sector.any(axis=1))
    columns = np.flatnonzero(sector.any(axis=0))
    top, height, middle = rows[0], len(rows), (columns[0] + columns[-1]) / 2
    apex, base = np.array(axis.apex), np.array(axis.base)
    down = (base - apex) / np.linalg.norm(base - apex)
    grid = np.stack([*np.mgrid[0 : size[1], 0 : size[0]]], axis=-1) - apex
    along = grid @ down * PIXEL_MM / discs.length
    across = grid @ np.array([-down[1], down[0]]) * PIXEL_MM  # to the right
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) * PIXEL_MM
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5) * PIXEL_MM
    wall = sector & (outside > 2) & (outside < 7)
    sides = wall & (along > 0.15) & (along < 0.85)
    cavity = inside > 0.4 * inside.max()
    below = along * discs.length - discs.length
    behind = sector & (below > 8) & (below < 22) & (np.abs(across) < 8)
    depth = (np.arange(size[1])[:, None] - top) / height * np.ones(size[0])
    mean = cv2.blur(image, (5, 5))
    local = np.sqrt(np.maximum(cv2.blur(image * image, (5, 5)) - mean * mean, 0))
    values = image[cavity]
    flat = image - cv2.blur(image, (21, 21))
    sd = float(flat[cavity].std()) + 1e-6

    def grey(zone: np.ndarray) -> float:
        return float(image[zone].mean()) if zone.sum() > 20 else np.nan

    septum, lateral = grey(sides & (across < 0)), grey(sides & (across > 0))
    return {
        "sector_width": len(columns) / height,
        "sector_mm": height * PIXEL_MM,
        "length_mm": discs.length,
        "width_ratio": float(discs.diameters.max()) / discs.length,
        "base_ratio": float(discs.diameters[-2] / discs.diameters.max()),
        "area_share": discs.area / (float(sector.sum()) * PIXEL_MM**2),
        "tilt_deg": float(np.degrees(np.arctan2(-down[1], down[0]))),
        "apex_depth": float(apex[0] - top) / height,
        "base_depth": float(base[0] - top) / height,
        "apex_side": float(apex[1] - middle) / height,
        "base_side": float(base[1] - middle) / height,
        "cavity": float(values.mean()),
        "septum": septum,
        "lateral": lateral,
        "apex": grey(wall & (along < 0.1)),
        "base": grey(sector & (np.abs(below) < 3) & (np.abs(across) < 10)),
        "atrium": grey(behind),
        "far": grey(sector & (depth > 0.875)),
        "near": grey(sector & (depth < 0.125)),
        "contrast": (septum + lateral) / 2 - float(values.mean()),
        "cavity_sd": float(local[cavity].mean()),
        "wall_sd": float(local[sides].mean()),
        "cavity_skew": float((flat[cavity] ** 3).mean()) / sd**3,
        "fine": float(np.diff(flat, axis=1)[cavity[:, 1:]].std()) / sd,
        "fine_down": float(np.diff(flat, axis=0)[cavity[1:]].std()) / sd,
        "black": float((image[sector] < 4).mean()),
    }


if __name__ == "__main__":
    main()
