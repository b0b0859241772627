/* Written by device/write_headers.py from edgeecho/measure/constants.py, rigid_motion.py, edgeecho/frame_times.py and edgeecho/reasons.py: change it there. */
#ifndef EE_MEASURE_CONSTANTS_H
#define EE_MEASURE_CONSTANTS_H

/* Sets the windows where the frame rate is unknown; the result hardly depends on it. */
#define EE_ASSUMED_FPS 50.0
/* Smoothing window in which turning points are searched; the least where the frame rate is unknown. */
#define EE_SMOOTHING_S 0.12
/* Least frames on either side in the smoothing window. */
#define EE_MIN_SMOOTHING_HALF_FRAMES 2
/* Curve before the first turning point is searched: a whole beat at 30 a minute. */
#define EE_WARM_UP_S 2.0
/* Least frames of the warm-up. */
#define EE_MIN_WARM_UP_FRAMES 8
/* Curve that sets the range and the noise. */
#define EE_MEMORY_S 4.0
/* Least frames that set the range and the noise. */
#define EE_MIN_MEMORY_FRAMES 24
/* A beat that reaches back farther is left out, which bounds memory. */
#define EE_LONGEST_BEAT_S 6.0
/* Least frames that a beat may reach back. */
#define EE_MIN_LONGEST_BEAT_FRAMES 48
/* Longest time without a ventricle that is filled in linearly. */
#define EE_MAX_GAP_S 0.2
/* Least frames that are filled in. */
#define EE_MIN_MAX_GAP_FRAMES 2
/* A shorter curve has no beat. */
#define EE_MIN_CURVE_FRAMES 5
/* A glitch differs from both neighbours, to the same side, by more than this part of their mean. */
#define EE_MIN_GLITCH_FRACTION 0.3
/* Least fall or rise after a turning point, as a part of the range (EchoNet-Dynamic: prominence of half of it). */
#define EE_MIN_TURN_FRACTION 0.45
/* A first turning point with a smaller part of its fall or rise before it is the start of the curve. */
#define EE_MIN_APPROACH_FRACTION 0.1
/* Half width of the window that places a turning point, as a part of the frames until it is confirmed. */
#define EE_PLACEMENT_WINDOW 0.8
/* Maxima that differ by less than this part of the fall are equally high. */
#define EE_TIE_TOLERANCE 0.05
/* The slope at an end of a fall or rise is taken over this many times fewer frames than the whole. */
#define EE_LEVEL_WINDOW_DIVISOR 4
/* A curve is level where its slope is at most this part of the steepest. */
#define EE_MAX_LEVEL_SLOPE 0.5
/* Least height of a first ED that is level, as a part of the height of the next ED over the ES. */
#define EE_MIN_LEVEL_START_HEIGHT 0.75
/* Least height of a first ED that is not level. */
#define EE_MIN_SLOPED_START_HEIGHT 0.9
/* Least rise to a last ED, as a part of the fall from the ED before. */
#define EE_MIN_REFILLING_FRACTION 0.95
/* A smaller rise ends in an ED too, if the curve falls from it by this part of the range. */
#define EE_MIN_LAST_FALL_FRACTION 0.2
/* A last minimum is an ES if the curve rises from it by this part of the fall. */
#define EE_MIN_LAST_RISE_FRACTION 0.1
/* Least fall to an ES at the end of the curve, as a part of the rise before. */
#define EE_MIN_EMPTYING_FRACTION 0.9
/* Least fall from ED to ES, as a part of the area at ED. An EF of 10% is a fall by about 7%. */
#define EE_MIN_FALL_FRACTION 0.04
/* Least part of the frames that must show a ventricle. */
#define EE_MIN_SEEN_FRACTION 0.8
/* Most roughness of the curve as it came. */
#define EE_MAX_ROUGHNESS 0.65
/* Most roughness of the curve without its glitches, if they are few; enough for a rougher curve to be valid. */
#define EE_MAX_ROUGHNESS_WITHOUT_GLITCHES 0.35
/* Most part of the frames that few glitches are. */
#define EE_MAX_FEW_GLITCHES_FRACTION 0.05
/* A curve whose variance is a smaller part of its mean square is a straight line, with roughness 0. */
#define EE_MIN_CURVE_ENERGY 1e-12
/* A beat of so few frames may be rough and jump if the curve is periodic: 200 a minute at 20 fps has 6. */
#define EE_MAX_SHORT_BEAT_FRAMES 8
/* Least correlation of a periodic curve with itself a period later. */
#define EE_MIN_PERIOD_CORRELATION 0.7
/* A periodic curve has a smaller correlation with itself half a period later. */
#define EE_MAX_HALF_PERIOD_CORRELATION 0.3
/* A correlation needs a curve of so many times the frames of the lag. */
#define EE_MIN_LAGS 3
/* Least fall as a multiple of the noise, which smoothing removes (white noise reaches 4 at 20 fps). */
#define EE_MIN_SIGNAL_TO_NOISE 5.0
/* A fall of which one frame makes a larger part is a jump of the picture, not a contraction. */
#define EE_MAX_JUMP_FRACTION 0.8
/* Most slope of a fall as a multiple of its mean slope between the two heights below (of a cosine: 1.3). */
#define EE_MAX_STEEPNESS 4.0
/* Height from which the mean slope of a fall is taken, as a part of the fall. */
#define EE_UPPER_SLOPE_HEIGHT 0.9
/* Height to which the mean slope of a fall is taken. */
#define EE_LOWER_SLOPE_HEIGHT 0.1
/* A smaller component has no axis worth measuring. */
#define EE_MIN_COMPONENT_PX 30
/* Lean of the first axis to the vertical, in units of the mask's mean variance; helps wide ventricles. */
#define EE_DEPTH_PRIOR 0.4
/* A first axis along which the pixels are skewed more, per part of it that is vertical, points to the apex. */
#define EE_MAX_SKEWNESS 0.1
/* Least distance of the apex from the base along the axis, as a part of the mask's length. */
#define EE_MIN_APEX_DEPTH 0.3
/* Part of the way from apex to base beyond which an edge may be the base's; a slit mostly lies before it. */
#define EE_MIN_BASAL_DEPTH 0.75
/* The base's middle reaches this many times fewer pixels to either side than the base is wide: its middle third. */
#define EE_BASE_WIDTH_DIVISOR 6
/* Least reach of the base's middle to either side. */
#define EE_MIN_BASE_HALF_WIDTH_PX 0.75
/* Least divisor: the width of a mask, or the tilt of a plane between discs, may be 0. */
#define EE_MIN_DIVISOR 1e-09
/* Discs in a stack, as in the guideline (Lang 2015). */
#define EE_DISCS 20
/* Least heart rate that is reported, in beats a minute. */
#define EE_MIN_BPM 30.0
/* Highest heart rate that is reported, in beats a minute. */
#define EE_MAX_BPM 200.0
/* Most cells a side of the small pictures. */
#define EE_MOTION_CELLS 28
/* Units of small pictures in a grey level: few enough that the sums of squares stay below 2^53. */
#define EE_LEVEL_PARTS 4
/* Mean grey level up to which a cell is dark. */
#define EE_MAX_DARK_LEVEL 2
/* Cells so near to a dark one, along rows and columns, are not used. */
#define EE_DARK_REACH_CELLS 2
/* A parameter that depends on those before it leaves a smaller part of its square, and is not used. */
#define EE_MIN_PIVOT_FRACTION 1e-09
/* A step that is longer than this many median steps is a pause: the recorder or the player stood still. */
#define EE_MIN_PAUSE_STEPS 5.0

/* Reason of a finding. */
typedef enum {
    /* there is none */
    EE_REASON_NONE = 0,
    /* the cine is too short for a beat */
    EE_REASON_TOO_SHORT = 1,
    /* no left ventricle was found in any frame */
    EE_REASON_NO_VENTRICLE = 2,
    /* a left ventricle was found in too few frames */
    EE_REASON_SELDOM_SEEN = 3,
    /* nothing beats: the area hardly changes, or the picture moves as a whole */
    EE_REASON_NOTHING_BEATS = 4,
    /* the area jumps from frame to frame as noise does */
    EE_REASON_ROUGH = 5,
    /* the area curve is too noisy to tell beats apart */
    EE_REASON_NOISY = 6,
    /* the area jumps from one frame to the next */
    EE_REASON_JUMPS = 7,
    /* a left ventricle was found in too few frames of the beat */
    EE_REASON_GAPS = 8,
    /* no end-systole was found: the cine shows less than half a beat */
    EE_REASON_NO_ES = 9,
    /* no end-diastole was found beside the end-systole */
    EE_REASON_NO_ED = 10,
    /* the masks of no beat have a volume that falls from ED to ES */
    EE_REASON_NOT_MEASURABLE = 11,
    /* the network is unsure: this is probably not an apical view */
    EE_REASON_VIEW_UNLIKELY = 20,
    /* the mask is as wide as it is long: this is probably a short axis */
    EE_REASON_SHORT_AXIS = 21,
    /* the view is probably mirrored: set flip to lr */
    EE_REASON_MIRRORED = 22,
    /* the view is probably turned: set flip to ud, or turn the picture until the apex is at the top */
    EE_REASON_TURNED = 23,
    /* the grey levels are probably inverted: invert them */
    EE_REASON_INVERTED = 24,
    /* the mask is in pieces */
    EE_REASON_MASK_IN_PIECES = 25,
    /* the mask lies partly outside the ultrasound fan */
    EE_REASON_MASK_OUTSIDE_FAN = 26,
    /* the ventricle is cut by the edge of the picture */
    EE_REASON_CUT_BY_EDGE = 27,
    /* it is unsure which part of the picture shows the heart: set the region */
    EE_REASON_REGION_UNSURE = 28,
    /* colour lies over the heart: record without colour Doppler */
    EE_REASON_COLOUR_OVERLAY = 29,
    /* frames are the same, as in a frozen picture */
    EE_REASON_FROZEN = 30,
    /* there are too few frames in a beat */
    EE_REASON_TOO_FEW_FRAMES = 40,
    /* the beats differ in length */
    EE_REASON_IRREGULAR = 41,
    /* the beats differ in EF */
    EE_REASON_BEATS_DISAGREE = 42,
    /* the probe or the heart moved during the beats */
    EE_REASON_PROBE_MOVED = 43,
    /* a figure is outside what hearts have */
    EE_REASON_IMPLAUSIBLE = 44,
    /* the frame rate is unsure, and with it the heart rate and the beats */
    EE_REASON_TIME_BASE_UNSURE = 50,
    /* the size of a pixel is unknown: no volumes, and EF is right only if pixels are square */
    EE_REASON_SPACING_UNKNOWN = 51,
} ee_reason;

/* One more than the largest reason. */
#define EE_REASONS 52

#endif
