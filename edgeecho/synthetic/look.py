"""Look of a drawn cine: tissues, scanner with its settings, and artefacts, which are the same in all its frames."""

from dataclasses import dataclass

import numpy as np

from edgeecho.synthetic.compression import Compression
from edgeecho.synthetic.tissues import Tissues


@dataclass(frozen=True, eq=False)
class Look:
    """Settings of a scanner, and what it sees beside the heart. Fields of beams are (RANGES, BEAMS)."""

    tissues: Tissues
    key: int
    """Number that chooses the patches of random fields."""
    law: Compression
    """Compression of echoes to grey levels."""
    blur: tuple[float, float]
    """Point spread across and along the beam, standard deviations in pixels of the beam image."""
    renewal_s: float
    """Time in which the scatterers in the plane are replaced by others, in seconds."""
    smooth: float
    """Smoothing of grey levels, standard deviation in pixels; 0 for none."""
    fuzzy: float
    """Blur of the borders of tissues, standard deviation in pixels."""
    around: np.ndarray
    """Grey level of the surroundings of the heart, uint8."""
    gain: np.ndarray
    """Factor of the amplitude by gain, depth, beams and shadows, float32."""
    haze: np.ndarray
    """Amplitude of haze, which is new in every frame, float32 (RANGES, BEAMS, 2)."""
    clutter: np.ndarray
    """Still echo over the heart, float32 (RANGES, BEAMS, 2)."""
    blotches: np.ndarray
    """Factor of the amplitude of tissue, which moves with it, float32."""
    tone: np.ndarray
    """Tone curve, uint8 (256,)."""
    speckle: float = 1.0
    """Share of speckle in the picture; the rest is its local mean, as compounding and filters leave it."""
    far_blur: float = 0.0
    """Additional point spread across the beam at the far end, standard deviation in pixels; half of it at the near
    end, where a wide aperture is not in focus, and none between."""
    max_fading: float = np.inf
    """Largest factor by which motion out of the plane brightens a segment of the wall."""
    side_lobes: float = 0.0
    """Amplitude of side lobes, as a part of the main lobe's."""
