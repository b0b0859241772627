"""Reasons why a figure is doubtful or withheld, and the verdict: one list for Python, JSON, pages and C."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Reason(IntEnum):
    """Reason of a finding. Its number is the same in C, and its name in small letters is the code in JSON."""

    # No beat was measured
    TOO_SHORT = 1
    NO_VENTRICLE = 2
    SELDOM_SEEN = 3
    NOTHING_BEATS = 4
    ROUGH = 5
    NOISY = 6
    JUMPS = 7
    GAPS = 8
    NO_ES = 9
    NO_ED = 10
    NOT_MEASURABLE = 11
    # The picture
    VIEW_UNLIKELY = 20
    SHORT_AXIS = 21
    MIRRORED = 22
    TURNED = 23
    INVERTED = 24
    MASK_IN_PIECES = 25
    MASK_OUTSIDE_FAN = 26
    CUT_BY_EDGE = 27
    REGION_UNSURE = 28
    COLOUR_OVERLAY = 29
    FROZEN = 30
    # The beats
    TOO_FEW_FRAMES = 40
    IRREGULAR = 41
    BEATS_DISAGREE = 42
    PROBE_MOVED = 43
    IMPLAUSIBLE = 44
    # Time and size
    TIME_BASE_UNSURE = 50
    SPACING_UNKNOWN = 51

    @property
    def code(self) -> str:
        """Code of the reason in JSON, such as `short_axis`."""
        return self.name.lower()


SENTENCES = {
    Reason.TOO_SHORT: "the cine is too short for a beat",
    Reason.NO_VENTRICLE: "no left ventricle was found in any frame",
    Reason.SELDOM_SEEN: "a left ventricle was found in too few frames",
    Reason.NOTHING_BEATS: "nothing beats: the area hardly changes, or the picture moves as a whole",
    Reason.ROUGH: "the area jumps from frame to frame as noise does",
    Reason.NOISY: "the area curve is too noisy to tell beats apart",
    Reason.JUMPS: "the area jumps from one frame to the next",
    Reason.GAPS: "a left ventricle was found in too few frames of the beat",
    Reason.NO_ES: "no end-systole was found: the cine shows less than half a beat",
    Reason.NO_ED: "no end-diastole was found beside the end-systole",
    Reason.NOT_MEASURABLE: "the masks of no beat have a volume that falls from ED to ES",
    Reason.VIEW_UNLIKELY: "the network is unsure: this is probably not an apical view",
    Reason.SHORT_AXIS: "the mask is as wide as it is long: this is probably a short axis",
    Reason.MIRRORED: "the view is probably mirrored: set flip to lr",
    Reason.TURNED: "the view is probably turned: set flip to ud, or turn the picture until the apex is at the top",
    Reason.INVERTED: "the grey levels are probably inverted: invert them",
    Reason.MASK_IN_PIECES: "the mask is in pieces",
    Reason.MASK_OUTSIDE_FAN: "the mask lies partly outside the ultrasound fan",
    Reason.CUT_BY_EDGE: "the ventricle is cut by the edge of the picture",
    Reason.REGION_UNSURE: "it is unsure which part of the picture shows the heart: set the region",
    Reason.COLOUR_OVERLAY: "colour lies over the heart: record without colour Doppler",
    Reason.FROZEN: "frames are the same, as in a frozen picture",
    Reason.TOO_FEW_FRAMES: "there are too few frames in a beat",
    Reason.IRREGULAR: "the beats differ in length",
    Reason.BEATS_DISAGREE: "the beats differ in EF",
    Reason.PROBE_MOVED: "the probe or the heart moved during the beats",
    Reason.IMPLAUSIBLE: "a figure is outside what hearts have",
    Reason.TIME_BASE_UNSURE: "the frame rate is unsure, and with it the heart rate and the beats",
    Reason.SPACING_UNKNOWN: "the size of a pixel is unknown: no volumes, and EF is right only if pixels are square",
}
"""General sentence of each reason, as C has it; the text of a `Finding` adds the figures."""


class Level(IntEnum):
    """Weight of a finding."""

    NOTE = 0
    """A figure is missing or limited; the others are valid."""
    REVIEW = 1
    """A person should look at the masks before the figures are used."""
    WITHHOLD = 2
    """EF and volumes are not given."""


VERDICTS = ("report", "review", "withhold")
"""Verdict for each `Level`."""


@dataclass(frozen=True)
class Finding:
    """One reason that limits a result, with its weight and a sentence for the user."""

    reason: Reason
    level: Level
    text: str

    def to_dict(self) -> dict[str, str]:
        """Return code, level and text as JSON values."""
        return {"code": self.reason.code, "level": self.level.name.lower(), "text": self.text}


def find(reason: Reason, level: Level, text: str | None = None) -> Finding:
    """Return a finding; without a text its sentence is the general one."""
    return Finding(reason, level, text or SENTENCES[reason])


def worst_level(findings: Iterable[Finding]) -> Level:
    """Return the highest level of some findings; `NOTE` if there are none."""
    return max((finding.level for finding in findings), default=Level.NOTE)


def verdict_of(findings: Iterable[Finding]) -> str:
    """Return `report`, `review` or `withhold`, by the worst finding."""
    return VERDICTS[worst_level(findings)]
