/* Times of the frames of a stream: `FrameClock` of Python's `edgeecho/frame_times.py`. */
#ifndef EE_FRAME_CLOCK_H
#define EE_FRAME_CLOCK_H

#include <stdint.h>

#include "error.h"
#include "measure/beat_meter.h"

typedef struct ee_frame_clock {
    double fps; /* 0 if unknown: no pause is known then, and no frame is missing */
    uint64_t frames, dropped;
    int has_times; /* known from the second frame on, as the first may be at 0 */
    ee_frame_time newest;
    ee_frame_time *waiting; /* of frames without an answer yet, a ring: room for `capacity` */
    uint32_t capacity;
} ee_frame_clock;

/* Begin a cine. */
void ee_frame_clock_reset(ee_frame_clock *clock);

/* Whether a frame may be taken at this time, 0 if unknown; if not, `error` has the reason. */
int ee_frame_clock_allows(const ee_frame_clock *clock, double time_s, ee_error *error);

/* Take the time of the next frame. */
void ee_frame_clock_add(ee_frame_clock *clock, double time_s);

/* Time of a frame that was added, counted from 0: one of the last `capacity`. It counts if `has_times`. */
ee_frame_time ee_frame_clock_at(const ee_frame_clock *clock, uint64_t frame);

#endif
