/* Beats from left-ventricular areas as they come: Python's `BeatTracker`, where the algorithm is explained. */
#ifndef EE_MEASURE_TRACKER_H
#define EE_MEASURE_TRACKER_H

#include "meter.h"

/* One beat of the area curve. */
typedef struct {
    uint64_t ed_frame, es_frame;
    double interval_frames; /* ED to ED, else from the ES before to its ES; 0 if there is neither */
} ee_found;

/* Called for each beat, in time order, in the middle of a push. */
typedef void ee_say(void *context, const ee_found *beat);

/* A turn of the curve, counted from the start of the buffer. */
typedef struct {
    int32_t at;
    bool is_ed;
    bool at_start; /* the curve was not seen coming up to it */
} ee_turn;

#define EE_TURNS 4 /* as many as a beat looks back */

typedef struct {
    /* settings, in frames */
    int32_t half, warm_up, memory, longest, gap;
    /* since the reset */
    uint64_t frames, seen, turned; /* pushed; with a ventricle; ES that belong to no rejected beat */
    uint64_t said;                 /* beats in the curve, measured or not */
    double change;                 /* largest range, as a part of the area */
    ee_why rejected;               /* why the last beat that was left out was */
    /* the piece of curve in the buffer */
    uint64_t first; /* frame of index 0 */
    int32_t length, smoothed, followed, low, high, turn_count;
    ee_turn turns[EE_TURNS + 1];
    /* the owner's to set: buffers, each with room for `ee_tracker_capacity`, and who is told of beats */
    double *raw, *values, *smooth, *piece;
    bool *shown;
    ee_say *say;
    void *context;
} ee_tracker;

/* Most values that the buffer holds, and so most frames that a beat reaches back. */
size_t ee_tracker_capacity(double fps);

/* Set the windows for a frame rate, 0 if unknown, and reset. */
void ee_tracker_init(ee_tracker *tracker, double fps);
void ee_tracker_reset(ee_tracker *tracker);
void ee_tracker_push(ee_tracker *tracker, double area_px);
void ee_tracker_finish(ee_tracker *tracker);

/* Why no beat was said. */
ee_why ee_tracker_why(const ee_tracker *tracker);

#endif
