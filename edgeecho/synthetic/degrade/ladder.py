"""The ladder: rungs of stated strength, by which a model's robustness to low-cost probes is measured."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from edgeecho.cine import Cine
from edgeecho.errors import ConfigError
from edgeecho.synthetic.degrade.degradation import DEGRADATIONS, Degradation
from edgeecho.synthetic.degrade.frame_rate import kept_frames
from edgeecho.synthetic.degrade.placing import Moved, Warp

CLEAN = "clean"
"""Name of the rung that changes nothing."""


@dataclass(frozen=True)
class Rung:
    """A degradation of a stated strength."""

    name: str
    """Name in `DEGRADATIONS`, or `CLEAN`."""
    strength: float | None = None
    """Strength in the degradation's unit; None for a degradation without one."""

    @property
    def label(self) -> str:
        """Name and strength, such as `gain 0.4`."""
        return self.name if self.strength is None else f"{self.name} {self.strength:g}"

    @property
    def degradation(self) -> Degradation | None:
        """The degradation; None for `CLEAN`."""
        return DEGRADATIONS.get(self.name)

    @property
    def unit(self) -> str:
        """Meaning of the strength; empty where there is none."""
        return self.degradation.unit if self.degradation else ""


LADDER: tuple[Rung, ...] = (
    Rung(CLEAN),
    Rung("gain", 0.4),
    Rung("gain", 0.25),
    Rung("weak signal", 0.5),
    Rung("attenuation", 0.25),
    Rung("reject", 30.0),
    Rung("noise", 20.0),
    Rung("deep noise", 40.0),
    Rung("haze", 60.0),
    Rung("reverberation", 60.0),
    Rung("side lobes", 20.0),
    Rung("lines", 24.0),
    Rung("samples", 64.0),
    Rung("black", 30.0),
    Rung("contrast", 0.5),
    Rung("gamma", 2.0),
    Rung("bits", 3.0),
    Rung("turn", 20.0),
    Rung("turn", 40.0),
    Rung("mirror"),
    Rung("blur", 2.0),
    Rung("pixels", 48.0),
    Rung("small", 0.45),
    Rung("small", 0.3),
    Rung("jpeg", 15.0),
    Rung("phone", 15.0),
    Rung("frames", 3.0),
)
"""Rungs of the ladder."""


def find_rungs(text: str) -> tuple[Rung, ...]:
    """Read a list of rungs, such as `gain,noise 30`.

    Args:
        text: Names with commas between them. A name alone stands for the rungs of the ladder with that name, a name
            with a number for that strength. `CLEAN` always comes first.

    Raises:
        ConfigError: If a name is unknown, or a strength is no positive number.
    """
    found = [LADDER[0]]
    for entry in (" ".join(part.split()) for part in text.split(",")):
        rungs = tuple(rung for rung in LADDER if entry in (rung.name, rung.label))
        found += [rung for rung in rungs or (_rung(entry),) if rung not in found]
    return tuple(found)


def _rung(entry: str) -> Rung:
    """Read a name and a strength that are no rung of the ladder."""
    name, _, number = entry.rpartition(" ")
    if name not in DEGRADATIONS:
        raise ConfigError(f"unknown rung {entry!r}; known: {', '.join(rung.label for rung in LADDER)}")
    degradation = DEGRADATIONS[name]
    if not degradation.unit:
        raise ConfigError(f"{name!r} has no strength, got {number!r}; leave it out")
    try:
        strength = float(number)
    except ValueError:
        strength = float("nan")
    smallest, largest = degradation.smallest, degradation.largest
    if not (smallest or 0) <= strength <= largest or not strength:
        low = "above 0" if smallest is None else f"of at least {smallest:g}"
        raise ConfigError(f"the strength of {name!r} must be a number {low}, at most {largest:g}, got {number!r}")
    return Rung(name, strength)


def seed_of(name: str) -> int:
    """Return the seed of a cine by its name, so that its random numbers do not depend on the cines before it."""
    return zlib.crc32(name.encode("utf-8", "surrogateescape"))


def degrade_cine(cine: Cine, rung: Rung, seed: int) -> tuple[Cine, Moved]:
    """Degrade a cine with its labels.

    Args:
        cine: Cine with its labels.
        rung: Rung of the ladder.
        seed: Seed of what the degradation draws; all strengths of one degradation draw the same.

    Returns:
        The degraded cine, and how its picture was moved.

    Raises:
        VideoError: If no part of the picture is lit.
    """
    still, degradation = Warp(np.eye(3)), rung.degradation
    if degradation is None:
        return cine, still
    rng, strength = np.random.default_rng((seed, seed_of(rung.name))), rung.strength or 0.0
    name = f"{cine.name}, {rung.label}"
    if degradation.is_slower:
        return replace(_slower(cine, strength), name=name), still
    if degradation.change:
        return replace(cine, frames=degradation.change(cine.frames, strength, rng, None), name=name), still
    assert degradation.move
    frames, moved = degradation.move(cine.frames, strength, rng, None)
    masks = moved.masks(np.stack(list(cine.labels.values()))) if cine.labels else ()
    labels = dict(zip(cine.labels, masks, strict=True))
    height, width = cine.frames.shape[1:]
    _, _, wide, high = moved.box(0, 0, width, height, (height, width))
    keeps_size = frames.shape == cine.frames.shape
    spacing = cine.spacing_mm
    if spacing and not keeps_size:
        spacing = spacing[0] * height / high, spacing[1] * width / wide
    coloured = cine.coloured if keeps_size else None
    return replace(cine, frames=frames, labels=labels, spacing_mm=spacing, coloured=coloured, name=name), moved


def _slower(cine: Cine, factor: float) -> Cine:
    """Leave frames out, with their labels and times; the marked frames stay."""
    shown = kept_frames(len(cine.frames), cine.marked, factor)
    where = {int(frame): index for index, frame in enumerate(shown)}
    times = cine.times_s
    if times is None and cine.fps:
        times = np.arange(len(cine.frames)) / cine.fps
    times = None if times is None else times[shown]
    fps = float((len(times) - 1) / (times[-1] - times[0])) if times is not None and len(times) > 1 else cine.fps
    return replace(
        cine,
        frames=cine.frames[shown],
        labels={where[k]: mask for k, mask in cine.labels.items() if k in where},
        phases={where[k]: phase for k, phase in cine.phases.items() if k in where},
        fps=fps,
        times_s=times,
    )
