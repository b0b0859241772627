/* Resampling in integers, equal to the bit with edgeecho.preprocess; docs/model-file.md specifies it. */
#ifndef EE_RESAMPLE_H
#define EE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ee_taps { /* what an output pixel reads: `count` pixels from `first` on, weights from `at` on */
    uint32_t first, count, at;
} ee_taps;

typedef struct ee_axis { /* one axis; its weights are in units of 1 / (1 << EE_WEIGHT_BITS) */
    uint32_t outputs;
    ee_taps *taps;
    uint16_t *weights;
    uint32_t begin, end; /* of the pixels that any output reads */
} ee_axis;

/* Most weights of an axis with so many inputs and outputs. */
size_t ee_axis_capacity(uint32_t inputs, uint32_t outputs);

/*
 * Weights for outputs `from` to `to` (exclusive) of the `target` that `source` pixels are resampled to.  Source pixel j
 * is input j + offset; what lies outside the inputs 0 to `limit` (exclusive) reads as 0 and has no weight.
 */
void ee_axis_fill(ee_axis *axis, uint32_t source, uint32_t target, uint32_t from, uint32_t to, int64_t offset,
                  uint32_t limit);

/* Let every output read as many pixels as any, some with a weight of 0, if the axis has room for so many weights: a loop
 * whose length does not change is faster. */
void ee_axis_pad(ee_axis *axis, size_t capacity);

/* Numbers that `ee_resample` keeps for each column of an image, and rows that it sums at a time. */
enum { EE_SUM_ROOM = 3, EE_SUM_ROWS = 4 };

/* Resample an image to another one.  `sums` has EE_SUM_ROOM times `room` numbers, `room` at least a row of the image. */
void ee_resample(const ee_axis *rows, const ee_axis *columns, const uint8_t *image, size_t stride, uint64_t *sums,
                 size_t room, uint8_t *out);

typedef struct ee_box { /* bottom and right are exclusive */
    uint32_t top, bottom, left, right;
} ee_box;

/* Rows of an image, weighted: a number for each of its columns from `begin` to `end`. */
void ee_combine_rows(const ee_taps *taps, const uint16_t *weights, const uint8_t *image, size_t stride, uint32_t begin,
                     uint32_t end, uint32_t *sums);

#endif
