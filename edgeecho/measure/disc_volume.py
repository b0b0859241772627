"""Area, length and single-plane volume of a left ventricle from its mask.

Method of discs (Simpson): 20 discs of equal height are stacked along the long axis, from the mitral base to the apex.
Area-length: the volume of the half-ellipsoid, or ellipsoid, that has this area and length in this view.

Sources: Lang RM et al., Recommendations for cardiac chamber quantification, J Am Soc Echocardiogr 2015;28:1-39 (discs);
Dodge HT et al., Am Heart J 1960;60:762-776 (area-length).

**Height of a disc.** Each frame's own length divided by 20, unless another length is given. The code that goes with the
CAMUS data set takes one height for both views and both phases, the largest, so that ED's length is used at ES too: ESV
comes out larger and EF lower. `length_mm` is there for that convention.
"""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ConfigError
from edgeecho.measure.component import largest_component
from edgeecho.measure.constants import DISCS
from edgeecho.measure.long_axis import axis_of


@dataclass(frozen=True, eq=False)
class Discs:
    """The largest region of a mask cut into discs. In mm and mm2, or in pixels where no spacing was given."""

    area: float
    length: float
    """Length of the long axis."""
    diameters: np.ndarray
    """Mean diameter of each disc, from the apex to the base, float (n,)."""

    def volume(self, length: float | None = None) -> float:
        """Single plane: V = pi/4 * sum(d_i^2) * L / n.

        Args:
            length: L, if not the frame's own.
        """
        return float(np.pi / 4 * np.square(self.diameters).sum() * (length or self.length) / len(self.diameters))

    def area_length_volume(self) -> float:
        """V = 8 A^2 / (3 pi L)."""
        return 8 * self.area**2 / (3 * np.pi * self.length)


def discs_of(mask: np.ndarray, spacing_mm: tuple[float, float] | None = None, *, n: int = DISCS) -> Discs:
    """Cut the largest region of a mask into discs across its long axis.

    A diameter is the mean over the disc's height, so no single row of pixels decides.

    Args:
        mask: bool or uint8 {0, 1}, (H, W).
        spacing_mm: (row, column) millimetres per pixel; None takes pixels as square, of side 1.
        n: Number of discs.

    Raises:
        MeasurementError: If the region is empty or has fewer than 30 pixels.
        ShapeError: If `mask` is not two-dimensional.
        ConfigError: If a spacing is not positive, or `n` is not.
    """
    spacing = spacing_mm or (1.0, 1.0)
    if not min(spacing) > 0 or n < 1:
        raise ConfigError(f"spacing_mm and n must be positive, got {spacing_mm} and {n}")
    region, corner = largest_component(mask)
    axis, u, extent = axis_of(region, corner, spacing)
    height = axis.length / n
    pixel = spacing[0] * spacing[1]
    diameters = np.diff(_area_before(u, extent, height * np.arange(n + 1))) * (pixel / height)
    return Discs(len(u) * pixel, axis.length, diameters)


def area_mm2(mask: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Area of the largest region; arguments and errors are those of `discs_of`."""
    return discs_of(mask, spacing_mm).area


def length_mm(mask: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Length of the long axis from the mitral base to the apex; arguments and errors are those of `discs_of`."""
    return discs_of(mask, spacing_mm).length


def disc_volume(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> float:
    """Single-plane volume in mm3, or in cubic pixels without spacing: good for ratios only, and if pixels are square.

    Arguments and errors are those of `discs_of`.
    """
    return discs_of(mask, spacing_mm).volume()


def simpson_volume_ml(
    mask: np.ndarray, spacing_mm: tuple[float, float], *, n: int = DISCS, length_mm: float | None = None
) -> float:
    """Volume by the single-plane method of discs: V = pi/4 * sum(d_i^2) * L / n.

    Args:
        mask: bool or uint8 {0, 1}, (H, W).
        spacing_mm: (row, column) millimetres per pixel.
        n: Number of discs.
        length_mm: L, if not the mask's own, such as the length at ED.

    Returns:
        Millilitres.

    Raises:
        MeasurementError: If the region is empty or has fewer than 30 pixels.
        ShapeError: If `mask` is not two-dimensional.
        ConfigError: If a spacing is not positive, or `n` is not.
    """
    return discs_of(mask, spacing_mm, n=n).volume(length_mm) / 1000


def area_length_volume_ml(mask: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Volume by area and length: V = 8 A^2 / (3 pi L).

    Arguments and errors are those of `simpson_volume_ml`.
    """
    return discs_of(mask, spacing_mm).area_length_volume() / 1000


def _area_before(u: np.ndarray, extent: float, edges: np.ndarray) -> np.ndarray:
    """Pixels before each of some positions along the axis, a pixel counting in part where an edge cuts it.

    Whole pixels alone would alternate between, say, 2 and 3 rows a disc, and squaring turns that into volume.

    Args:
        u: Position of each pixel's centre, (N,).
        extent: Length of a pixel along the axis.
        edges: Positions, (n + 1,).

    Returns:
        Pixels before each edge, float (n + 1,).
    """
    return np.array([np.clip((edge - u) / extent + 0.5, 0, 1).sum() for edge in edges])
