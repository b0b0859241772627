"""Thresholds of the view and of the verdict, the same in Python and in C.

`device/write_headers.py` writes this file into `device/src/trust/constants.h`. docs/trust.md lists them, with the
figures that they give.
"""

# Region

CLEAR_CONFIDENCE = 0.96
"""Confidence of a look from which no other region is tried, and of the orientations the mirrored one alone."""
MIN_CONFIDENCE_GAIN = 0.01
"""A region replaces one that comes before it if its confidence is higher by more."""
MIN_SAME_REGION = 0.8
"""Two regions are the same if they share this part of the area that they cover together."""
AROUND_FACTOR = (22, 10)
"""Side of the square around a mask, as a multiple of the mask's longer side: a fraction."""
MAX_PANEL_OVERLAP = 0.3
"""Another fan is a panel of its own if it shares a smaller part with the region."""
MAX_PANELS = 4
"""Most other fans that are looked at."""
MAX_EDGE_CELLS = 4
"""A mask with more pixels on the edge of the picture is cut."""

# Orientation

CLEAR_MARGINS = ((1, 0.02), (2, 0.008), (4, 0.004), (8, 0.003))
"""Least margin of confidence between the best orientation and the next, after so many sampled frames."""
MAX_SAMPLES = 8
"""Most frames that are sampled; a stream begins again, or takes the view as it is."""
CINE_PLACES = (2, 6, 4, 0, 1, 5, 7, 3)
"""Frames of a whole cine that are sampled, in eighths of its length and in this order."""
MIN_WHOLE_MARGIN = 0.005
"""Margin of confidence over all frames of a cine from which the better of two unclear orientations is taken."""
MIN_TURNED_CONFIDENCE = 0.95
"""Least confidence in an orientation that differs from that of the picture."""
MIN_INVERTED_GAIN = 0.02
"""Least gain of confidence with inverted grey levels."""
MIN_LIKELY_CONFIDENCE = 0.93
"""Confidence of a look from which it shows a ventricle."""
MIN_VIEW_CONFIDENCE = 0.91
"""Least confidence of the looks with which the view of a stream is fixed."""
MIN_LIVE_SAMPLES = 2
"""Least frames that are sampled in a stream before its view is fixed."""
SAMPLE_INTERVAL_S = 0.2
"""Time in a stream from the end of a sample to the next."""
RETRY_S = 4.0
"""Time in a stream until the search begins again, if it found no ventricle in `MAX_SAMPLES` samples."""

# Beats

MIN_CONFIDENCE = 0.941
"""Confidence over a beat below which it is left out."""
SURE_CONFIDENCE = 0.95
"""Confidence over a beat below which it is doubtful."""
MIN_LARGEST_FRACTION = 0.98
"""A mask is in pieces if its largest piece has a smaller part of its pixels."""
BROKEN_FRACTIONS = (0.1, 0.3)
"""Part of the frames of a beat with a mask in pieces, from which it is doubtful and from which it is left out."""
OUTSIDE_FRACTIONS = (0.02, 0.035)
"""Part of the masks outside the fan, from which a beat is doubtful and from which it is left out."""
MAX_EDGE_FRACTION = 0.35
"""Pixels on the edge of the picture a frame, as a part of the root of the mask's pixels, above which it is cut."""
RIGID_FRACTIONS = (0.68, 0.77)
"""Part of the change of the picture that a motion of the whole explains: doubtful, and left out."""
MIN_ELONGATIONS = (1.28, 1.22)
"""Length over width of the mask (pi L^2 / 4 A), the larger of ED and ES: below the first doubtful, below the second
left out."""
MIN_BEAT_FRAMES = (8, 6)
"""Frames from ED to ED: below the first doubtful, below the second left out."""
PLAUSIBLE_EF_PERCENT = (5.0, 90.0)
"""EF outside is rarely real: over EchoNet-Dynamic it goes from 6.9 to 97.0, mean 55.8, standard deviation 12.4."""
PLAUSIBLE_EDV_ML = (5.0, 500.0)
"""The smallest infants' and the most dilated ventricles lie within; outside, the spacing or the mask is wrong."""
MAX_STILL_FRACTION = 0.6
"""Part of the frames of a beat that equal the frame before, above which it is left out."""
MOVED_FRACTIONS = (0.25, 0.5)
"""Way of the mask's middle from ED to the next ED, as a part of its length: doubtful, and left out."""

# All beats together

MAX_LENGTH_RANGE = 0.35
"""Largest minus smallest length of beats, as a part of the median, above which they are irregular."""
MAX_EF_RANGES = (15.0, 30.0)
"""Largest minus smallest EF of beats, in points, above which they disagree: doubtful, and withheld."""
MAX_ORIENTATION_DIFFERENCE = 4.0
"""Difference of EF, in points, between two orientations of which neither is clear, above which it is withheld."""
COLOURED_FRACTIONS = (0.02, 0.1)
"""Part of the ventricle under colour, from which a result is doubtful and from which it is withheld."""
