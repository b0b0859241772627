/* Written by device/write_headers.py from edgeecho/runtime/trust_constants.py and edgeecho/preprocess/fan.py: change it there. */
#ifndef EE_TRUST_CONSTANTS_H
#define EE_TRUST_CONSTANTS_H

/* Confidence of a look from which no other region is tried, and of the orientations the mirrored one alone. */
#define EE_CLEAR_CONFIDENCE 0.96
/* A region replaces one that comes before it if its confidence is higher by more. */
#define EE_MIN_CONFIDENCE_GAIN 0.01
/* Two regions are the same if they share this part of the area that they cover together. */
#define EE_MIN_SAME_REGION 0.8
/* Side of the square around a mask, as a multiple of the mask's longer side: a fraction. */
#define EE_AROUND_FACTOR_0 22
#define EE_AROUND_FACTOR_1 10
/* Another fan is a panel of its own if it shares a smaller part with the region. */
#define EE_MAX_PANEL_OVERLAP 0.3
/* Most other fans that are looked at. */
#define EE_MAX_PANELS 4
/* A mask with more pixels on the edge of the picture is cut. */
#define EE_MAX_EDGE_CELLS 4
/* Least margin of confidence between the best orientation and the next, after so many sampled frames. */
#define EE_CLEAR_MARGINS_COUNT 4
#define EE_CLEAR_MARGINS {{1, 0.02}, {2, 0.008}, {4, 0.004}, {8, 0.003}}
/* Most frames that are sampled; a stream begins again, or takes the view as it is. */
#define EE_MAX_SAMPLES 8
/* Frames of a whole cine that are sampled, in eighths of its length and in this order. */
#define EE_CINE_PLACES_COUNT 8
#define EE_CINE_PLACES {2, 6, 4, 0, 1, 5, 7, 3}
/* Margin of confidence over all frames of a cine from which the better of two unclear orientations is taken. */
#define EE_MIN_WHOLE_MARGIN 0.005
/* Least confidence in an orientation that differs from that of the picture. */
#define EE_MIN_TURNED_CONFIDENCE 0.95
/* Least gain of confidence with inverted grey levels. */
#define EE_MIN_INVERTED_GAIN 0.02
/* Confidence of a look from which it shows a ventricle. */
#define EE_MIN_LIKELY_CONFIDENCE 0.93
/* Least confidence of the looks with which the view of a stream is fixed. */
#define EE_MIN_VIEW_CONFIDENCE 0.91
/* Least frames that are sampled in a stream before its view is fixed. */
#define EE_MIN_LIVE_SAMPLES 2
/* Time in a stream from the end of a sample to the next. */
#define EE_SAMPLE_INTERVAL_S 0.2
/* Time in a stream until the search begins again, if it found no ventricle in `MAX_SAMPLES` samples. */
#define EE_RETRY_S 4.0
/* Confidence over a beat below which it is left out. */
#define EE_MIN_CONFIDENCE 0.941
/* Confidence over a beat below which it is doubtful. */
#define EE_SURE_CONFIDENCE 0.95
/* A mask is in pieces if its largest piece has a smaller part of its pixels. */
#define EE_MIN_LARGEST_FRACTION 0.98
/* Part of the frames of a beat with a mask in pieces, from which it is doubtful and from which it is left out. */
#define EE_BROKEN_FRACTIONS_0 0.1
#define EE_BROKEN_FRACTIONS_1 0.3
/* Part of the masks outside the fan, from which a beat is doubtful and from which it is left out. */
#define EE_OUTSIDE_FRACTIONS_0 0.02
#define EE_OUTSIDE_FRACTIONS_1 0.035
/* Pixels on the edge of the picture a frame, as a part of the root of the mask's pixels, above which it is cut. */
#define EE_MAX_EDGE_FRACTION 0.35
/* Part of the change of the picture that a motion of the whole explains: doubtful, and left out. */
#define EE_RIGID_FRACTIONS_0 0.68
#define EE_RIGID_FRACTIONS_1 0.77
/* Length over width of the mask (pi L^2 / 4 A), the larger of ED and ES: below the first doubtful, below the second
 * left out. */
#define EE_MIN_ELONGATIONS_0 1.28
#define EE_MIN_ELONGATIONS_1 1.22
/* Frames from ED to ED: below the first doubtful, below the second left out. */
#define EE_MIN_BEAT_FRAMES_0 8
#define EE_MIN_BEAT_FRAMES_1 6
/* EF outside is rarely real: over EchoNet-Dynamic it goes from 6.9 to 97.0, mean 55.8, standard deviation 12.4. */
#define EE_PLAUSIBLE_EF_PERCENT_0 5.0
#define EE_PLAUSIBLE_EF_PERCENT_1 90.0
/* The smallest infants' and the most dilated ventricles lie within; outside, the spacing or the mask is wrong. */
#define EE_PLAUSIBLE_EDV_ML_0 5.0
#define EE_PLAUSIBLE_EDV_ML_1 500.0
/* Part of the frames of a beat that equal the frame before, above which it is left out. */
#define EE_MAX_STILL_FRACTION 0.6
/* Way of the mask's middle from ED to the next ED, as a part of its length: doubtful, and left out. */
#define EE_MOVED_FRACTIONS_0 0.25
#define EE_MOVED_FRACTIONS_1 0.5
/* Largest minus smallest length of beats, as a part of the median, above which they are irregular. */
#define EE_MAX_LENGTH_RANGE 0.35
/* Largest minus smallest EF of beats, in points, above which they disagree: doubtful, and withheld. */
#define EE_MAX_EF_RANGES_0 15.0
#define EE_MAX_EF_RANGES_1 30.0
/* Difference of EF, in points, between two orientations of which neither is clear, above which it is withheld. */
#define EE_MAX_ORIENTATION_DIFFERENCE 4.0
/* Part of the ventricle under colour, from which a result is doubtful and from which it is withheld. */
#define EE_COLOURED_FRACTIONS_0 0.02
#define EE_COLOURED_FRACTIONS_1 0.1
/* Most rows and columns of the grid. */
#define EE_GRID_PX 112
/* Grey levels, and changes of them, above which a cell belongs to a fan, in the order in which they are tried: the
 * first for clean and for dark pictures, the others for pictures with noise all over the screen. */
#define EE_LEVELS_COUNT 3
#define EE_LEVELS {5, 12, 30}
/* Grey level from which a cell is bright. */
#define EE_MIN_BRIGHT_LEVEL 128
/* A picture is bright if at least one in so many lit cells is bright in every frame. */
#define EE_MIN_BRIGHT_PARTS 4
/* A fan is searched among the moving cells first if more than one in so many lit cells moves; else among the lit
 * cells alone. */
#define EE_MIN_MOVING_PARTS 4
/* A fan has at least one in so many cells of the grid. */
#define EE_MIN_FAN_PARTS 50
/* Another component is a panel of its own if it has at least one in so many of the cells of the largest. */
#define EE_MIN_PANEL_PARTS 3
/* Largest breadth near the apex as a part of that near the other end: a fraction. */
#define EE_APEX_RATIO_0 6
#define EE_APEX_RATIO_1 10
/* Cells on either side by which gaps of speckle are closed, and by which thin lines and letters are removed. */
#define EE_CLOSING_CELLS 1

#endif
