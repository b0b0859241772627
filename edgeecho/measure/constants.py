"""Thresholds of the measurement, the same in Python and in C.

`device/write_headers.py` writes this file into `device/src/measure/constants.h`, so each number is written once.
"""

# Windows of the area curve, in seconds, with the least number of frames

ASSUMED_FPS = 50.0
"""Sets the windows where the frame rate is unknown; the result hardly depends on it."""
SMOOTHING_S = 0.12
"""Smoothing window in which turning points are searched; the least where the frame rate is unknown."""
MIN_SMOOTHING_HALF_FRAMES = 2
"""Least frames on either side in the smoothing window."""
WARM_UP_S = 2.0
"""Curve before the first turning point is searched: a whole beat at 30 a minute."""
MIN_WARM_UP_FRAMES = 8
"""Least frames of the warm-up."""
MEMORY_S = 4.0
"""Curve that sets the range and the noise."""
MIN_MEMORY_FRAMES = 24
"""Least frames that set the range and the noise."""
LONGEST_BEAT_S = 6.0
"""A beat that reaches back farther is left out, which bounds memory."""
MIN_LONGEST_BEAT_FRAMES = 48
"""Least frames that a beat may reach back."""
MAX_GAP_S = 0.2
"""Longest time without a ventricle that is filled in linearly."""
MIN_MAX_GAP_FRAMES = 2
"""Least frames that are filled in."""
MIN_CURVE_FRAMES = 5
"""A shorter curve has no beat."""

# Glitches: single frames that are replaced by the mean of their neighbours

MIN_GLITCH_FRACTION = 0.3
"""A glitch differs from both neighbours, to the same side, by more than this part of their mean."""

# Turning points

MIN_TURN_FRACTION = 0.45
"""Least fall or rise after a turning point, as a part of the range (EchoNet-Dynamic: prominence of half of it)."""
MIN_APPROACH_FRACTION = 0.1
"""A first turning point with a smaller part of its fall or rise before it is the start of the curve."""
PLACEMENT_WINDOW = 0.8
"""Half width of the window that places a turning point, as a part of the frames until it is confirmed."""
TIE_TOLERANCE = 0.05
"""Maxima that differ by less than this part of the fall are equally high."""

# Whether a turning point at an end of the curve is one

LEVEL_WINDOW_DIVISOR = 4
"""The slope at an end of a fall or rise is taken over this many times fewer frames than the whole."""
MAX_LEVEL_SLOPE = 0.5
"""A curve is level where its slope is at most this part of the steepest."""
MIN_LEVEL_START_HEIGHT = 0.75
"""Least height of a first ED that is level, as a part of the height of the next ED over the ES."""
MIN_SLOPED_START_HEIGHT = 0.9
"""Least height of a first ED that is not level."""
MIN_REFILLING_FRACTION = 0.95
"""Least rise to a last ED, as a part of the fall from the ED before."""
MIN_LAST_FALL_FRACTION = 0.2
"""A smaller rise ends in an ED too, if the curve falls from it by this part of the range."""
MIN_LAST_RISE_FRACTION = 0.1
"""A last minimum is an ES if the curve rises from it by this part of the fall."""
MIN_EMPTYING_FRACTION = 0.9
"""Least fall to an ES at the end of the curve, as a part of the rise before."""

# Whether a beat is valid

MIN_FALL_FRACTION = 0.04
"""Least fall from ED to ES, as a part of the area at ED. An EF of 10% is a fall by about 7%."""
MIN_SEEN_FRACTION = 0.8
"""Least part of the frames that must show a ventricle."""
MAX_ROUGHNESS = 0.65
"""Most roughness of the curve as it came."""
MAX_ROUGHNESS_WITHOUT_GLITCHES = 0.35
"""Most roughness of the curve without its glitches, if they are few; enough for a rougher curve to be valid."""
MAX_FEW_GLITCHES_FRACTION = 0.05
"""Most part of the frames that few glitches are."""
MIN_CURVE_ENERGY = 1e-12
"""A curve whose variance is a smaller part of its mean square is a straight line, with roughness 0."""
MAX_SHORT_BEAT_FRAMES = 8
"""A beat of so few frames may be rough and jump if the curve is periodic: 200 a minute at 20 fps has 6."""
MIN_PERIOD_CORRELATION = 0.7
"""Least correlation of a periodic curve with itself a period later."""
MAX_HALF_PERIOD_CORRELATION = 0.3
"""A periodic curve has a smaller correlation with itself half a period later."""
MIN_LAGS = 3
"""A correlation needs a curve of so many times the frames of the lag."""
MIN_SIGNAL_TO_NOISE = 5.0
"""Least fall as a multiple of the noise, which smoothing removes (white noise reaches 4 at 20 fps)."""
MAX_JUMP_FRACTION = 0.8
"""A fall of which one frame makes a larger part is a jump of the picture, not a contraction."""
MAX_STEEPNESS = 4.0
"""Most slope of a fall as a multiple of its mean slope between the two heights below (of a cosine: 1.3)."""
UPPER_SLOPE_HEIGHT = 0.9
"""Height from which the mean slope of a fall is taken, as a part of the fall."""
LOWER_SLOPE_HEIGHT = 0.1
"""Height to which the mean slope of a fall is taken."""

# Long axis and discs

MIN_COMPONENT_PX = 30
"""A smaller component has no axis worth measuring."""
DEPTH_PRIOR = 0.4
"""Lean of the first axis to the vertical, in units of the mask's mean variance; helps wide ventricles."""
MAX_SKEWNESS = 0.1
"""A first axis along which the pixels are skewed more, per part of it that is vertical, points to the apex."""
MIN_APEX_DEPTH = 0.3
"""Least distance of the apex from the base along the axis, as a part of the mask's length."""
MIN_BASAL_DEPTH = 0.75
"""Part of the way from apex to base beyond which an edge may be the base's; a slit mostly lies before it."""
BASE_WIDTH_DIVISOR = 6
"""The base's middle reaches this many times fewer pixels to either side than the base is wide: its middle third."""
MIN_BASE_HALF_WIDTH_PX = 0.75
"""Least reach of the base's middle to either side."""
MIN_DIVISOR = 1e-9
"""Least divisor: the width of a mask, or the tilt of a plane between discs, may be 0."""
DISCS = 20
"""Discs in a stack, as in the guideline (Lang 2015)."""

# Heart rate

MIN_BPM = 30.0
"""Least heart rate that is reported, in beats a minute."""
MAX_BPM = 200.0
"""Highest heart rate that is reported, in beats a minute."""
