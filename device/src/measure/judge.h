/* Whether what looks like a beat is one. Indices count from the start of the tracker's buffer. */
#ifndef EE_MEASURE_JUDGE_H
#define EE_MEASURE_JUDGE_H

#include "tracker.h"

#define EE_MIN_FALL 0.04 /* least fall from ED to ES, as a part of ED's area */
#define EE_MIN_SEEN 0.8  /* least part of the frames that must show a ventricle */

/* Why a beat from `ed` over `es`, or of an `es` and the `ed` after it, to `end` is none; EE_WHY_NOTHING if it is one. An
 * interval of 0 is unknown. */
ee_why ee_judge(const ee_tracker *tracker, int32_t ed, int32_t es, int32_t end, double interval);

/* Whether the curve is level where a fall or rise starts or stops: its slope there is at most half of the steepest. */
bool ee_is_level(const ee_tracker *tracker, int32_t start, int32_t stop, bool at_start);

/* Whether the curve starts with an ED: level, and as high as at the next ED where one is seen (NULL: none). */
bool ee_starts_full(const ee_tracker *tracker, int32_t ed, int32_t es, const ee_turn *next_ed);

#endif
