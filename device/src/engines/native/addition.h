/* The addition of a row, which each file of kernels includes and has compiled for its own processor.
 *
 * The exporter's scales keep every sum away from the middle between two levels, so any order of these operations rounds
 * alike (edgeecho/export/int8/exact_sums.py). */
#ifndef EE_NATIVE_ADDITION_H
#define EE_NATIVE_ADDITION_H

#include "kernels.h"

static inline uint8_t ee_level(float value) {
    value = value < 0 ? 0 : value > 255 ? 255 : value;
    return (uint8_t)(int32_t)(value + 0.5f);
}

static inline void ee_add(const uint8_t *restrict a, const uint8_t *restrict b, size_t count,
                          const ee_addition_row *row, uint8_t *restrict out) {
    const float ratio_a = row->ratio_a, ratio_b = row->ratio_b, offset = row->offset;
    for (size_t i = 0; i < count; i++)
        out[i] = ee_level((float)a[i] * ratio_a + (float)b[i] * ratio_b + offset);
}

static inline void ee_addition(const ee_addition_row *row) {
    const size_t channels = row->channels;
    if (row->factor == 1) {
        ee_add(row->a, row->b, channels * row->pixels, row, row->out);
        return;
    }
    for (uint32_t x = 0; x < row->pixels; x++)
        ee_add(row->a + x / 2 * channels, row->b + x * channels, channels, row, row->out + x * channels);
}

#endif
