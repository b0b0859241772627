#include "region.h"

#include <math.h>

#include "limits.h"
#include "measure/numbers.h"

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The smallest square around rows y0 to y1 and columns x0 to x1, with the same middle. */
static ee_roi square(int64_t y0, int64_t y1, int64_t x0, int64_t x1, const ee_shape *shape) {
    const double high = (double)(y1 - y0) * shape->row_mm, wide = (double)(x1 - x0) * shape->column_mm;
    const double side_mm = ee_larger(high, wide);
    const int64_t height = larger(1, (int64_t)nearbyint(side_mm / shape->row_mm));
    const int64_t width = larger(1, (int64_t)nearbyint(side_mm / shape->column_mm));
    return (ee_roi){ee_floor_div(x0 + x1 - width, 2), ee_floor_div(y0 + y1 - height, 2), width, height};
}

ee_roi ee_whole_frame(const ee_shape *shape) {
    return square(0, shape->height, 0, shape->width, shape);
}

ee_roi ee_fan_region(const ee_box *box, uint32_t cells, const ee_shape *shape) {
    const ee_roi whole = ee_whole_frame(shape);
    const int64_t n = cells;
    const int64_t y0 = larger(0, whole.y + ee_floor_div(box->top * whole.height, n));
    const int64_t y1 = smaller(shape->height, whole.y - ee_floor_div(-(box->bottom * whole.height), n));
    const int64_t x0 = larger(0, whole.x + ee_floor_div(box->left * whole.width, n));
    const int64_t x1 = smaller(shape->width, whole.x - ee_floor_div(-(box->right * whole.width), n));
    return square(y0, y1, x0, x1, shape);
}

/* Length of the part of a region's axis that lies in the frame. */
static int64_t inside(int64_t from, int64_t length, int64_t limit) {
    return larger(0, smaller(limit, from + length) - larger(0, from));
}

int ee_is_in_proportion(const ee_roi *roi, uint32_t width, uint32_t height) {
    const int64_t longest = (int64_t)EE_MAX_REGION * (width > height ? width : height);
    return roi->width >= 1 && roi->height >= 1 && roi->width <= longest && roi->height <= longest;
}

int ee_is_region_valid(const ee_roi *roi, uint32_t width, uint32_t height) {
    if (!ee_is_in_proportion(roi, width, height))
        return 0;
    const int64_t columns = inside(roi->x, roi->width, width), rows = inside(roi->y, roi->height, height);
    const int64_t region = roi->width * roi->height, frame = (int64_t)width * height;
    const double least = EE_MIN_OVERLAP_FRACTION * (double)smaller(region, frame); /* exact */
    return columns >= EE_MIN_SIDE && rows >= EE_MIN_SIDE && (double)(columns * rows) >= least;
}

double ee_overlap(const ee_roi *a, const ee_roi *b) {
    const int64_t height = smaller(a->y + a->height, b->y + b->height) - larger(a->y, b->y);
    const int64_t width = smaller(a->x + a->width, b->x + b->width) - larger(a->x, b->x);
    const int64_t shared = larger(0, height) * larger(0, width);
    return (double)shared / (double)(a->width * a->height + b->width * b->height - shared);
}

void ee_fill_axes_in(ee_axes *axes, const ee_roi *roi, uint32_t size, uint32_t width, uint32_t height) {
    ee_axis_fill(&axes->rows, (uint32_t)roi->height, size, 0, size, roi->y, height);
    ee_axis_fill(&axes->columns, (uint32_t)roi->width, size, 0, size, roi->x, width);
    ee_axis_pad(&axes->columns, ee_axis_capacity(width, size));
}

/* Fill in one axis back to the frame, and return its first pixel there. */
static size_t fill_out(ee_axis *axis, int64_t offset, int64_t length, uint32_t size, uint32_t limit) {
    const int64_t count = inside(offset, length, limit), from = count ? larger(0, -offset) : 0;
    ee_axis_fill(axis, size, (uint32_t)length, (uint32_t)from, (uint32_t)(from + count), 0, size);
    return count ? (size_t)larger(0, offset) : 0;
}

void ee_fill_axes_out(ee_axes *axes, const ee_roi *roi, uint32_t size, uint32_t width, uint32_t height, size_t *x,
                      size_t *y) {
    *y = fill_out(&axes->rows, roi->y, roi->height, size, height);
    *x = fill_out(&axes->columns, roi->x, roi->width, size, width);
}
