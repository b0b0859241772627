/* Region of interest: Python's `edgeecho/preprocess/region.py`. */
#ifndef EE_REGION_H
#define EE_REGION_H

#include "resample.h"

typedef struct ee_roi { /* in pixels of the frame, beyond which it reads black */
    int64_t x, y, width, height;
} ee_roi;

typedef struct ee_shape { /* of a frame */
    uint32_t width, height;
    double row_mm, column_mm; /* of a pixel; both 1 if unknown */
} ee_shape;

typedef struct ee_axes { /* between a region and the network */
    ee_axis rows, columns;
} ee_axes;

/* Divide and round down; b is positive. */
static inline int64_t ee_floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* The smallest square around a frame, square in mm. */
ee_roi ee_whole_frame(const ee_shape *shape);

/* The smallest square around a box of the `cells` by `cells` cells that the whole frame is divided into. */
ee_roi ee_fan_region(const ee_box *box, uint32_t cells, const ee_shape *shape);

/* Whether a region is not out of all proportion to the frame. */
int ee_is_in_proportion(const ee_roi *roi, uint32_t width, uint32_t height);

/* Whether enough of the frame is in a region, and it is in proportion. */
int ee_is_region_valid(const ee_roi *roi, uint32_t width, uint32_t height);

/* Area that two regions share, as a part of the area that they cover together. */
double ee_overlap(const ee_roi *a, const ee_roi *b);

/* Weights from a region of a frame to a square of `size` pixels, and from it to the pixels of the region that lie in the
 * frame; of those, the first is (`x`, `y`). */
void ee_fill_axes_in(ee_axes *axes, const ee_roi *roi, uint32_t size, uint32_t width, uint32_t height);
void ee_fill_axes_out(ee_axes *axes, const ee_roi *roi, uint32_t size, uint32_t width, uint32_t height, size_t *x,
                      size_t *y);

#endif
