/* From turn to turn of the smoothed curve in a tracker's buffer, and the beats that turns close. */
#ifndef EE_MEASURE_TURNS_H
#define EE_MEASURE_TURNS_H

#include "tracker.h"

/* Smooth the values up to an index, not included. */
void ee_smooth_to(ee_tracker *tracker, int32_t end);

/* Take the smoothed curve to its end and say the beats that are complete. */
void ee_follow(ee_tracker *tracker);

/* End the piece: follow the curve to its last value, then decide on the turn that is still open. */
void ee_end_piece(ee_tracker *tracker);

#endif
