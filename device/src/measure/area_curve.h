/* Arithmetic on an area curve. The order of every sum matters: Python's `area_curve.py` adds in the same one. */
#ifndef EE_MEASURE_AREA_CURVE_H
#define EE_MEASURE_AREA_CURVE_H

#include <stdbool.h>
#include <stddef.h>

/* Smooth the curve at one index by the least-squares parabola over 2 half + 1 samples (Savitzky and Golay 1964);
 * the window shrinks, on both sides alike, where the curve ends. */
double ee_smooth_at(const double *curve, size_t length, size_t index, size_t half);

/* Range in which the curve goes down and up again; for a piece that only falls or only rises it is half of that. */
double ee_beat_range(const double *curve, size_t length);

/* Mean squared step in units of twice the variance about a straight drift: 1 for white noise, 0 for a line. */
double ee_roughness(const double *curve, size_t length);

/* Standard deviation of what smoothing removes. */
double ee_noise(const double *curve, size_t length, size_t half);

/* Whether the curve correlates with itself a period later and not half of one later. */
bool ee_is_periodic(const double *curve, size_t length, size_t period);

#endif
