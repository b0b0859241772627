/* Whether what looks like a beat is one, and whether a turning point at an end of the curve is one: Python's
 * `beat_validity.py`. Indices count from the start of the buffer. */
#ifndef EE_MEASURE_BEAT_VALIDITY_H
#define EE_MEASURE_BEAT_VALIDITY_H

#include "constants.h"
#include "turning_points.h"

/* Check a beat from `ed` over `es`, or from an `es` to the `ed` after it, to `end`; EE_REASON_NONE if it is one. An
 * interval of 0 is unknown. */
ee_reason ee_validate_beat(const ee_curve_buffer *buffer, int32_t ed, int32_t es, int32_t end, double interval);

/* Whether the curve is level where a fall or rise from `start` to `stop` begins, else where it ends. */
bool ee_is_level(const ee_curve_buffer *buffer, int32_t start, int32_t stop, bool at_start);

/* Whether the curve starts with an ED: level, and as high as at the next ED where one is seen (NULL: none). */
bool ee_starts_full(const ee_curve_buffer *buffer, int32_t ed, int32_t es, const ee_turn *next_ed);

/* Whether a last maximum that the curve did not fall from is an ED; the last turning point is the ES before it. */
bool ee_ends_full(const ee_curve_buffer *buffer, int32_t high, const ee_turning_points *points, bool has_beats);

/* Whether the curve falls from the last turning point, an ED, as far as it had risen to it, where that is known. */
bool ee_ends_empty(const ee_curve_buffer *buffer, int32_t es, const ee_turning_points *points);

#endif
