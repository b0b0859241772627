/* Turning points of the smoothed area curve: Python's `TurningPoints`. */
#ifndef EE_MEASURE_TURNING_POINTS_H
#define EE_MEASURE_TURNING_POINTS_H

#include "curve_buffer.h"

/* Turning points that a beat needs: the ES before, ED, ES and the next ED. */
#define EE_KEPT_TURNS 4

/* A turning point, counted from the start of the buffer. */
typedef struct {
    int32_t at;
    bool is_ed;
    bool at_start; /* the curve was not seen coming up to it */
} ee_turn;

/* The last turning points of the curve in a buffer. */
typedef struct {
    int32_t count, followed;
    int32_t low, high; /* index of the lowest and the highest value since the last turning point was confirmed */
    ee_turn turns[EE_KEPT_TURNS];
    double *piece; /* room for `ee_curve_buffer_capacity` values, which the owner sets */
} ee_turning_points;

/* Begin a piece of curve, as the buffer does. */
void ee_turning_points_restart(ee_turning_points *points);

/* Follow the smoothed curve to the next turning point, which becomes the last one. NULL at the end of the curve.
 * `range` is that of the beats. */
const ee_turn *ee_next_turn(ee_turning_points *points, const ee_curve_buffer *buffer, double range);

/* Turning point number `back` from the last, 0 for the last; NULL if there is none. */
const ee_turn *ee_turn_before(const ee_turning_points *points, int32_t back);

/* Add a turning point after the last one; the oldest of more than EE_KEPT_TURNS is removed. */
void ee_add_turn(ee_turning_points *points, ee_turn turn);

/* Place a turning point that lies near one index and is confirmed at another: the extreme of the curve, smoothed in
 * proportion to the time until it is confirmed. Of several maxima that are equally high the last is taken. */
int32_t ee_place_turn(ee_turning_points *points, const ee_curve_buffer *buffer, int32_t near, int32_t confirmed,
                      bool is_ed);

/* Follow the buffer when it removes so many values from its start. */
void ee_turning_points_shift(ee_turning_points *points, int32_t cut);

#endif
