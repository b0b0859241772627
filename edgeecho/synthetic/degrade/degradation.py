"""`DEGRADATIONS`: what low-cost probes, screens and files do to a picture, each with its unit and its training range.

They stand in the order in which they act on the way from the probe to the file; several on one picture keep it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeecho.synthetic.degrade import clutter, levels, phone, placing, receiver, scan_lines
from edgeecho.synthetic.fan import Fan

Change = Callable[[np.ndarray, float, np.random.Generator, Fan | None], np.ndarray]
"""Function that changes grey levels and leaves everything at its place; arguments as in `receiver.py`."""
Move = Callable[[np.ndarray, float, np.random.Generator, Fan | None], tuple[np.ndarray, placing.Moved]]
"""Function that moves the picture too, and returns how."""


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """One way in which a picture becomes worse. Exactly one of `change`, `move` and `is_slower` is set."""

    unit: str
    """Meaning of the strength."""
    change: Change | None = None
    move: Move | None = None
    is_slower: bool = False
    """Whether frames are left out; `frame_rate.py` chooses them."""
    smallest: float | None = None
    """Smallest strength that has a meaning; None for any above 0."""
    largest: float = 1000.0
    """Largest strength that has a meaning."""
    trained: tuple[float, float] | None = None
    """Range of the strength in training, weakest first; None where training does not draw it."""


DEGRADATIONS: dict[str, Degradation] = {
    "side lobes": Degradation(
        unit="dB of the first lobe below the main lobe", change=scan_lines.side_lobes, trained=(32.0, 14.0)
    ),
    "lines": Degradation(unit="scan lines over the fan", change=scan_lines.few_lines, trained=(64.0, 14.0)),
    "reverberation": Degradation(
        unit="grey levels of the first band", change=clutter.reverberate, trained=(20.0, 100.0)
    ),
    "haze": Degradation(unit="grey levels at the top of the fan", change=clutter.haze, trained=(20.0, 100.0)),
    "attenuation": Degradation(unit="times at the deepest point", change=receiver.attenuate, trained=(0.6, 0.1)),
    "gain": Degradation(unit="times", change=receiver.gain, trained=(0.75, 0.2)),
    "weak signal": Degradation(
        unit=f"times, with noise of {receiver.RECEIVER_NOISE:g} grey levels",
        change=receiver.weak_signal,
        trained=(0.8, 0.3),
    ),
    "noise": Degradation(unit="grey levels, standard deviation", change=receiver.noise, trained=(6.0, 35.0)),
    "deep noise": Degradation(
        unit="grey levels at the deepest point, standard deviation", change=receiver.deep_noise, trained=(15.0, 80.0)
    ),
    "reject": Degradation(unit="grey levels under which all is black", change=receiver.reject, trained=(10.0, 55.0)),
    "samples": Degradation(
        unit="samples a line, nearest one shown", change=scan_lines.coarse_scan, trained=(96.0, 40.0)
    ),
    "gamma": Degradation(unit="power of the grey level", change=levels.gamma, trained=(1.2, 2.6)),
    "black": Degradation(unit="grey levels of black", change=levels.raise_black, trained=(8.0, 60.0)),
    "contrast": Degradation(unit="times about middle grey", change=levels.flatten, trained=(0.85, 0.35)),
    "bits": Degradation(unit="bits a pixel", change=levels.few_bits, largest=8.0, trained=(4.4, 2.6)),
    "turn": Degradation(unit="degrees to either side", move=placing.turn, trained=(0.0, 40.0)),
    "mirror": Degradation(unit="", move=placing.mirror),
    "pixels": Degradation(unit="pixels of the fan's longer side", change=levels.few_pixels, trained=(90.0, 32.0)),
    "blur": Degradation(
        unit=f"pixels of {receiver.NETWORK_PX}, standard deviation", change=levels.blur, trained=(0.5, 2.2)
    ),
    "small": Degradation(unit="of the screen's width", move=placing.small_on_screen, smallest=0.01, largest=1.0),
    "jpeg": Degradation(unit="quality of 100", change=levels.compress, largest=100.0, trained=(40.0, 8.0)),
    "phone": Degradation(unit="degrees of tilt to the screen", move=phone.film, largest=60.0, trained=(0.0, 25.0)),
    "frames": Degradation(unit="times fewer frames", is_slower=True, smallest=1.0),
}
"""Degradations by name. `mirror` is not trained: the product finds the side of a picture by the network's confidence,
which must be lower on the wrong one. `small` is undone by the region that the network sees (`pixels` is what remains of
it), and `frames` is what `clips.stride` is for."""
