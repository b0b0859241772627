/* The addition of a row in plain C, of what is left behind the last whole vector and where there are no vectors.
 *
 * The exporter's scales keep every sum away from the middle between two levels, so any order of these operations, and any
 * rule for a middle, rounds alike (edgeecho/export/int8/exact_sums.py). */
#ifndef EE_NATIVE_ADDITION_H
#define EE_NATIVE_ADDITION_H

#include "kernels.h"

static inline void ee_add(const ee_addition_row *row, const uint8_t *a, const uint8_t *b, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        const float sum = (float)a[i] * row->ratio_a + (float)b[i] * row->ratio_b + row->offset;
        out[i] = (uint8_t)(int32_t)((sum < 0 ? 0 : sum > 255 ? 255 : sum) + 0.5f);
    }
}

/* Call add(row, a, b, count, out) for all bytes of a row. */
#define EE_ADD_ROW(row, add)                                                                                           \
    if ((row)->factor == 1)                                                                                            \
        add((row), (row)->a, (row)->b, (size_t)(row)->channels *(row)->pixels, (row)->out);                            \
    else                                                                                                               \
        for (size_t x = 0, n = (row)->channels; x < (row)->pixels; x++)                                                \
        add((row), (row)->a + x / 2 * n, (row)->b + x * n, n, (row)->out + x * n)

#endif
