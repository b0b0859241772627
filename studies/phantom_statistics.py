"""Do drawn cines have the statistics of real ones? The figures are in docs/datasets.md.

    python -m studies.phantom_statistics camus:CAMUS phantom:

The statistics are of the labelled frames of each data set's training split. Zones are found by the mask of the
ventricle alone, in the same way in all data sets: its middle, the wall on both sides, and the region behind its base.
"""

import sys

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.measure import Discs, discs_of, long_axis
from edgeecho.preprocess import Grid, whole_frame

PIXEL_MM = 0.5
"""Side in mm of the square pixels that frames are resampled to, so that local statistics are of equal areas."""
MAX_ITEMS = 400
"""Largest number of items of a data set, evenly chosen."""
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
    """Measure labelled frames of the training split; in a cine with phases, ED and ES alone."""
    items = open_data(text).items("train")
    rows = []
    for item in items[:: max(1, len(items) // MAX_ITEMS)]:
        cine = item.read()
        if cine.spacing_mm is None:
            continue
        frames = [i for i in cine.labels if i in cine.phases]
        for i in frames[:2]:
            rows.append(measure_frame(cine, i))
    return rows


def measure_frame(cine: Cine, index: int) -> dict[str, float]:
    """Measure geometry and grey levels of one labelled frame."""
    assert cine.spacing_mm is not None
    h, w = cine.frames.shape[1:]
    size = (round(w * cine.spacing_mm[1] / PIXEL_MM), round(h * cine.spacing_mm[0] / PIXEL_MM))
    image = cv2.resize(cine.frames[index], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = (cv2.resize(cine.labels[index] * 255, size, interpolation=cv2.INTER_AREA) >= 128).astype(np.uint8)
    sector = cv2.resize(_sector_of(cine.frames).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    spacing = (PIXEL_MM, PIXEL_MM)
    discs, axis = discs_of(mask, spacing), long_axis(mask, spacing)
    apex, base = np.array(axis.apex), np.array(axis.base)
    geometry = _geometry(discs, apex, base, sector)
    return {**geometry, **_grey_levels(image, _zones(mask, sector, discs.length, apex, base), sector)}


def _sector_of(frames: np.ndarray) -> np.ndarray:
    """Return the pixels of the largest fan of a cine, bool (H, W)."""
    height, width = frames.shape[1:]
    grid, whole = Grid(height, width), whole_frame(height, width)
    for frame in frames:
        grid.add(frame)
    side = (whole.width, whole.height)
    fans = grid.fans()
    cells = fans[0][0].cells if fans else np.ones_like(grid.brightest, bool)
    pixels = cv2.resize(cells.astype(np.uint8), side, interpolation=cv2.INTER_NEAREST) > 0
    return np.asarray(pixels[-whole.y : height - whole.y, -whole.x : width - whole.x])


def _geometry(discs: Discs, apex: np.ndarray, base: np.ndarray, sector: np.ndarray) -> dict[str, float]:
    """Measure the sector, the ventricle and its position in the sector."""
    rows, columns = np.flatnonzero(sector.any(axis=1)), np.flatnonzero(sector.any(axis=0))
    top, height, middle = rows[0], len(rows), (columns[0] + columns[-1]) / 2
    down = (base - apex) / np.linalg.norm(base - apex)
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
    }


def _zones(
    mask: np.ndarray, sector: np.ndarray, length_mm: float, apex: np.ndarray, base: np.ndarray
) -> dict[str, np.ndarray]:
    """Find the zones of the picture by the mask of the ventricle, bool (H, W) each."""
    rows = np.flatnonzero(sector.any(axis=1))
    down = (base - apex) / np.linalg.norm(base - apex)
    grid = np.stack([*np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]], axis=-1) - apex
    along = grid @ down * PIXEL_MM / length_mm
    across = grid @ np.array([-down[1], down[0]]) * PIXEL_MM  # to the right
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) * PIXEL_MM
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5) * PIXEL_MM
    wall = sector & (outside > 2) & (outside < 7)
    sides = wall & (along > 0.15) & (along < 0.85)
    below = along * length_mm - length_mm
    depth = (np.arange(mask.shape[0])[:, None] - rows[0]) / len(rows) * np.ones(mask.shape[1])
    return {
        "cavity": inside > 0.4 * inside.max(),
        "sides": sides,
        "septum": sides & (across < 0),
        "lateral": sides & (across > 0),
        "apex": wall & (along < 0.1),
        "base": sector & (np.abs(below) < 3) & (np.abs(across) < 10),
        "atrium": sector & (below > 8) & (below < 22) & (np.abs(across) < 8),
        "far": sector & (depth > 0.875),
        "near": sector & (depth < 0.125),
    }


def _grey_levels(image: np.ndarray, zones: dict[str, np.ndarray], sector: np.ndarray) -> dict[str, float]:
    """Measure mean grey levels of the zones, and the texture of cavity and wall."""
    cavity = zones["cavity"]
    mean = cv2.blur(image, (5, 5))
    local = np.sqrt(np.maximum(cv2.blur(image * image, (5, 5)) - mean * mean, 0))
    flat = image - cv2.blur(image, (21, 21))
    sd = float(flat[cavity].std()) + 1e-6
    grey = {
        name: float(image[zones[name]].mean()) if zones[name].sum() > 20 else np.nan
        for name in ("septum", "lateral", "apex", "base", "atrium", "far", "near")
    }
    blood = float(image[cavity].mean())
    return {
        **grey,
        "cavity": blood,
        "contrast": (grey["septum"] + grey["lateral"]) / 2 - blood,
        "cavity_sd": float(local[cavity].mean()),
        "wall_sd": float(local[zones["sides"]].mean()),
        "cavity_skew": float((flat[cavity] ** 3).mean()) / sd**3,
        "fine": float(np.diff(flat, axis=1)[cavity[:, 1:]].std()) / sd,
        "fine_down": float(np.diff(flat, axis=0)[cavity[1:]].std()) / sd,
        "black": float((image[sector] < 4).mean()),
    }


if __name__ == "__main__":
    main()
