/* The last seconds of an area curve: Python's `CurveBuffer`. */
#ifndef EE_MEASURE_CURVE_BUFFER_H
#define EE_MEASURE_CURVE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Windows of the detector in frames. */
typedef struct {
    int32_t half; /* frames on either side in the smoothing window */
    int32_t warm_up, memory;
    int32_t longest; /* most frames that a beat reaches back */
    int32_t gap;     /* most frames without a ventricle that are filled in */
} ee_windows;

typedef struct {
    ee_windows windows;
    uint64_t first_frame;     /* frame of index 0 */
    int32_t length, smoothed; /* values, and how many of them are smoothed */
    /* Room for `ee_curve_buffer_capacity` values each, which the owner sets. */
    double *raw;    /* areas as they came, gaps filled in */
    double *values; /* areas without glitches */
    double *smooth; /* smoothed values */
    bool *shown;    /* whether the frame showed a ventricle, and no glitch */
} ee_curve_buffer;

/* Windows for a frame rate, 0 if unknown. */
ee_windows ee_windows_for(double fps);

/* Most values that the buffer contains, and so most frames that a beat reaches back. */
size_t ee_curve_buffer_capacity(double fps);

/* Begin a piece of curve at a frame. */
void ee_curve_buffer_restart(ee_curve_buffer *buffer, uint64_t frame);

/* Add an area to the end. `ee_remove_glitch` follows, once after values that fill a gap. */
void ee_curve_buffer_append(ee_curve_buffer *buffer, double value, bool shown);

/* Replace the last value but one by the mean of its neighbours where it is a glitch. */
void ee_remove_glitch(ee_curve_buffer *buffer);

/* Smooth the values up to an index, not included. */
void ee_smooth_to(ee_curve_buffer *buffer, int32_t end);

/* Range of the beats in memory. */
double ee_curve_range(const ee_curve_buffer *buffer);

/* Remove what no beat reaches any more, not at every frame, and return the number of values removed. */
int32_t ee_curve_buffer_trim(ee_curve_buffer *buffer);

#endif
