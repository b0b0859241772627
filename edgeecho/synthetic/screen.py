"""Screen of a drawn cine: position and shape of the sector, and what is shown beside it.

Probe coordinates are (x, z) in mm from the point where the beams meet, x to the right, z down. A beam image has rows by
range and columns by angle.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

RANGES, BEAMS = 256, 176
"""Numbers of rows and columns of a beam image."""


@dataclass(frozen=True, eq=False)
class Screen:
    """A sector on a screen. Pixel (row, column) shows x = (column - origin[0]) * mm, z = (row - origin[1]) * mm."""

    height: int
    width: int
    mm: float
    """Side of a pixel in mm."""
    origin: tuple[float, float]
    """Column and row of the point where the beams meet, which may lie outside the screen."""
    angles: tuple[float, float]
    """Angles of the first and the last beam, in radians to the right of straight down."""
    reach: tuple[float, float]
    """Nearest and farthest range in mm."""
    clip: tuple[float, float, float, float] | None = None
    """First column and row, last column and row of a box that cuts the sector."""

    @classmethod
    def draw(cls, rng: np.random.Generator, depth: float) -> "Screen":
        """Draw a screen for a depth of `depth` mm: a full sector, a square crop, or a sector among text and bars."""
        style = rng.choice(3, p=(0.5, 0.2, 0.3))
        if style == 0:  # a full sector that fills the picture, as in CAMUS
            half = np.deg2rad(rng.uniform(36, 42) if rng.uniform() < 0.85 else rng.uniform(28, 45))
            height = int(rng.integers(200, 480))
            mm = depth / (height - 2)
            width = int(2 * np.ceil(np.sin(half) * depth / mm) + rng.integers(2, 12))
            return cls(height, width, mm, (width / 2, 1.0), (-half, half), (0.0, depth))
        if style == 1:  # a small square with the sector cut at both sides, as in EchoNet-Dynamic
            size = int(rng.choice([112, 112, 112, 160, 224]))
            mm = depth / (size * rng.uniform(0.86, 0.96))
            origin = (size * rng.uniform(0.5, 0.58), size * rng.uniform(0.0, 0.07))
            return cls(size, size, mm, origin, (-np.pi / 4, np.pi / 4), (0.0, depth))
        return cls._draw_among_text(rng, depth)

    @classmethod
    def draw_varied(cls, rng: np.random.Generator, depth: float) -> "Screen":
        """Draw a screen for a depth of `depth` mm with wider ranges: a sector of 54 to 104 degrees that fills the
        picture, or one among text and bars."""
        if rng.uniform() < 0.5:
            return cls._draw_among_text(rng, depth)
        half = np.deg2rad(rng.uniform(27, 52))
        height = int(rng.choice([112, 160])) if rng.uniform() < 0.2 else int(rng.integers(200, 360))
        mm = depth / (height * rng.uniform(0.92, 0.995))
        sides = rng.uniform(0.75, 1.0) if rng.uniform() < 0.25 else 1.0  # cut at both sides
        width = int(2 * np.ceil(sides * np.sin(half) * depth / mm) + rng.integers(2, 12))
        origin = (width * rng.uniform(0.48, 0.52), rng.uniform(0, 0.005) * height)
        return cls(height, width, mm, origin, (-half, half), (0.0, depth))

    @classmethod
    def _draw_among_text(cls, rng: np.random.Generator, depth: float) -> "Screen":
        """Draw a sector somewhere on a wider screen, which may be turned, cut, or begin at a distance."""
        half = np.deg2rad(rng.uniform(30, 50))
        turn = np.deg2rad(rng.normal(0, 5))
        near = rng.uniform(0, 22) if rng.uniform() < 0.6 else 0.0
        height = int(rng.integers(200, 520))
        width = int(height * rng.uniform(1.0, 1.45))
        edge = max(abs(turn - half), abs(turn + half))
        px = min(height * rng.uniform(0.78, 0.98), 0.98 * width / (2 * np.sin(edge)))
        top = near * np.cos(edge)
        mm = depth / px
        left = width / 2 + rng.uniform(-0.5, 0.5) * max(0.0, width - 2 * np.sin(edge) * px)
        origin = (left, rng.uniform(0.05, 0.95) * (height - px) - top / mm)
        reach = (near, depth + top)
        clip = None
        if rng.uniform() < 0.35:  # flat sides or a flat floor
            cut = rng.uniform(0.7, 1.0, 3) * np.sin(edge) * px * [1, 1, 0]
            floor = origin[1] + (depth + top) / mm * rng.uniform(0.9, 1.02)
            a, b = origin[0] - cut[0], origin[0] + cut[1]
            clip = (a, 0.0, b, floor)
        return cls(height, width, mm, origin, (turn - half, turn + half), reach, clip)

    def region(self, size: int) -> "Screen":
        """Return the smallest square around the sector, resampled to `size` x `size` pixels."""
        rows, columns = np.flatnonzero(self.sector.any(axis=1)), np.flatnonzero(self.sector.any(axis=0))
        y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        scale = size / max(y1 - y0, x1 - x0)

        def moved(x: float, y: float) -> tuple[float, float]:  # from pixel centres to pixel centres
            return (
                float((x + 0.5 - (x0 + x1) / 2) * scale + size / 2 - 0.5),
                float((y + 0.5 - (y0 + y1) / 2) * scale + size / 2 - 0.5),
            )

        clip = None if self.clip is None else (*moved(*self.clip[:2]), *moved(*self.clip[2:]))
        return replace(self, height=size, width=size, mm=self.mm / scale, origin=moved(*self.origin), clip=clip)

    @cached_property
    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the beam image for each pixel, float32 (height, width); -9 outside the sector."""
        x = (np.arange(self.width, dtype=np.float32)[None] - self.origin[0]) * self.mm
        z = (np.arange(self.height, dtype=np.float32)[:, None] - self.origin[1]) * self.mm
        column, row = self.to_beams(np.hypot(x, z), np.arctan2(x, z))
        outside = ~self._lit(x, z, column, row)
        column, row = np.clip(column, 0, BEAMS - 1), np.clip(row, 0, RANGES - 1)
        column[outside], row[outside] = -9, -9
        return column.astype(np.float32), row.astype(np.float32)

    @cached_property
    def sector(self) -> np.ndarray:
        """Pixels of the sector, bool (height, width)."""
        return np.asarray(self.maps[0] >= 0)

    @cached_property
    def _fixed_maps(self) -> tuple[np.ndarray, np.ndarray]:
        first, second = cv2.convertMaps(*self.maps, cv2.CV_16SC2)
        return first, second

    def show(self, beams: np.ndarray) -> np.ndarray:
        """Convert a beam image uint8 (RANGES, BEAMS) to the screen, (height, width), black outside the sector."""
        return np.asarray(cv2.remap(beams, *self._fixed_maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))

    def to_beams(self, distance: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return column and row in the beam image of ranges in mm and angles in radians."""
        column = (angle - self.angles[0]) * ((BEAMS - 1) / (self.angles[1] - self.angles[0]))
        return column, (distance - self.reach[0]) * ((RANGES - 1) / (self.reach[1] - self.reach[0]))

    def points_to_beams(self, points: np.ndarray) -> np.ndarray:
        """Transform (x, z) in mm to (column, row) in the beam image, (N, 2)."""
        column, row = self.to_beams(np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 0], points[:, 1]))
        return np.stack([column, row], axis=1)

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Whether points (x, z) in mm lie in the sector and on the screen, bool (N,)."""
        x, z = points.T
        column, row = self.points_to_beams(points).T
        across, down = x / self.mm + self.origin[0], z / self.mm + self.origin[1]
        on = (across >= 0) & (across < self.width) & (down >= 0) & (down < self.height)
        return np.asarray(on & self._lit(x, z, column, row))

    def _lit(self, x: np.ndarray, z: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Whether points in mm, with these columns and rows in the beam image, lie in the sector."""
        lit = (column >= -0.5) & (column <= BEAMS - 0.5) & (row >= -0.5) & (row <= RANGES - 0.5)
        if self.clip is not None:
            left, top, right, bottom = self.clip
            across, down = x / self.mm + self.origin[0], z / self.mm + self.origin[1]
            lit = lit & (across >= left) & (across <= right) & (down >= top) & (down <= bottom)
        return np.asarray(lit)

    def mask(self, outline: np.ndarray) -> np.ndarray:
        """Return the pixels whose centres lie in a closed outline (x, z) in mm, uint8 {0, 1} (height, width)."""
        canvas = np.zeros((self.height, self.width), np.uint8)
        points = outline / self.mm + np.asarray(self.origin)
        cv2.fillPoly(canvas, [np.rint(points * 256).astype(np.int32)], 255, cv2.LINE_AA, shift=8)
        # OpenCV paints a soft edge outside the polygon: only fully painted pixels have their centres inside.
        return np.asarray((canvas == 255) & self.sector, np.uint8)


class Furniture:
    """Text, scale, grey bar and ECG trace on a screen, beside the sector and partly on it."""

    def __init__(self, rng: np.random.Generator, screen: Screen) -> None:
        h, w = screen.height, screen.width
        self.ink = int(rng.integers(90, 256))
        self._still = np.zeros((h, w), np.uint8)
        self._ecg: np.ndarray | None = None
        self._sweep_s = float(rng.uniform(1.5, 4))
        much = rng.uniform()
        if much < 0.45:
            return
        room = np.flatnonzero(~screen.sector[: h // 3].any(axis=0)) if h > 3 else np.array([])
        font = float(np.clip(h / 700, 0.25, 0.6))
        words = ["Gen THI", "MI 0.9", "TIS 0.7", "FR 52Hz", "A4C", "HR 71", "16cm", "2D 62%", "C 50", "P Low"]
        for i in range(int(rng.integers(1, 7))):
            x = 2 if rng.uniform() < 0.5 or not len(room) else int(0.8 * w)
            y = int((0.05 + 0.06 * i) * h) + 4
            word = words[int(rng.integers(len(words)))]
            cv2.putText(self._still, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, font, self.ink, 1, cv2.LINE_AA)
        if rng.uniform() < 0.5:  # centimetres
            x = w - 4 if rng.uniform() < 0.7 else int(np.clip(screen.origin[0], 3, w - 4))
            for z in np.arange(0, screen.reach[1], 10):
                y = int(screen.origin[1] + z / screen.mm)
                if 0 <= y < h:
                    cv2.line(self._still, (x - 1 - int(z % 50 == 0), y), (x + 1, y), self.ink, 1)
        if rng.uniform() < 0.35:  # grey bar
            wide, top, tall = max(3, w // 45), int(0.08 * h), int(rng.uniform(0.2, 0.4) * h)
            x = w - wide - 8 if rng.uniform() < 0.6 else 3
            self._still[top : top + tall, x : x + wide] = np.linspace(255, 0, tall)[:, None].astype(np.uint8)
        if rng.uniform() < 0.5:
            self._ecg = np.array([h * rng.uniform(0.86, 0.97), h * rng.uniform(0.02, 0.08), rng.uniform(0, 1)])

    def put(self, image: np.ndarray, time: float, phase: np.ndarray) -> None:
        """Draw on an image in place.

        Args:
            image: Grey image, uint8 (height, width).
            time: Time in seconds.
            phase: Phase in the beat over the last `_sweep_s` seconds, 0 to 1, (N,), newest last.
        """
        np.maximum(image, self._still, out=image)
        if self._ecg is None:
            return
        level, tall, start = self._ecg
        w, n = image.shape[1], len(phase)
        r_wave = np.exp(-((((phase + 0.5) % 1 - 0.5) / 0.02) ** 2))
        wave = r_wave + 0.25 * np.exp(-(((phase - 0.32) / 0.06) ** 2)) + 0.15 * np.exp(-(((phase - 0.86) / 0.03) ** 2))
        x = ((time / self._sweep_s + start + np.linspace(-0.93, 0, n)) % 1) * w
        points = np.stack([x, level - tall * wave], axis=1)
        breaks = np.flatnonzero(np.diff(x) < 0) + 1
        pieces = [np.rint(p).astype(np.int32) for p in np.split(points, breaks)]
        cv2.polylines(image, pieces, False, self.ink, 1)

    @property
    def sweep_s(self) -> float:
        """Length of the ECG trace in seconds; 0 without an ECG."""
        return 0.0 if self._ecg is None else self._sweep_s
