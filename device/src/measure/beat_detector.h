/* Beats from left-ventricular areas as they come: Python's `BeatTracker`, where the algorithm is explained. */
#ifndef EE_MEASURE_BEAT_DETECTOR_H
#define EE_MEASURE_BEAT_DETECTOR_H

#include "constants.h"
#include "turning_points.h"

/* One beat of the area curve. */
typedef struct ee_beat {
    uint64_t ed_frame, es_frame;
    uint64_t next_ed_frame; /* ED that closes the beat; 0 if none is seen */
    double interval_frames; /* ED to ED, else from the ES before to its ES; 0 if there is neither */
} ee_beat;

/* Called for each beat, in time order, in the middle of a push. */
typedef void ee_on_beat(void *context, const ee_beat *beat);

typedef struct {
    uint64_t frames, seen;   /* since the reset: pushed; with a ventricle */
    uint64_t es_count;       /* ES that belong to no rejected beat */
    uint64_t reported_beats; /* beats in the curve, measured or not */
    double change;           /* largest range, as a part of the area */
    ee_reason rejected;      /* why the last beat that was left out is none */
    ee_curve_buffer buffer;
    ee_turning_points points;
    /* The owner sets these, and the arrays of `buffer` and `points`. */
    ee_on_beat *on_beat;
    void *context;
} ee_beat_tracker;

/* Set the windows for a frame rate, 0 if unknown, and reset. */
void ee_beat_tracker_init(ee_beat_tracker *tracker, double fps);
void ee_beat_tracker_reset(ee_beat_tracker *tracker);

/* Take the area of the next frame; 0 or NAN: no ventricle seen. */
void ee_beat_tracker_push(ee_beat_tracker *tracker, double area_px);

/* End the cine: report the beats that are still open. */
void ee_beat_tracker_finish(ee_beat_tracker *tracker);

/* Why no beat was reported. */
ee_reason ee_why_no_beat(const ee_beat_tracker *tracker);

#endif
