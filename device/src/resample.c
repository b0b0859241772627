#include "resample.h"

#include <string.h>

enum { BITS = 11, ONE = 1 << BITS };
static const uint32_t HALF = 1u << (2 * BITS - 1); /* of the unit that a sum over both axes has */

size_t ee_axis_capacity(uint32_t inputs, uint32_t outputs) {
    return (size_t)inputs + 2 * (size_t)outputs;
}

/* Share of [0, source) up to `covered`, in 1/2048, halves up. */
static int64_t rounded(int64_t covered, int64_t source) {
    return (2 * covered * ONE + source) / (2 * source);
}

/* Weight of source pixel j in output i, where a box shrinks the axis. */
static int64_t box_weight(int64_t i, int64_t j, int64_t source, int64_t target) {
    int64_t low = j * target - i * source, high = low + target;
    return rounded(high < source ? high : source, source) - rounded(low > 0 ? low : 0, source);
}

void ee_axis_fill(ee_axis *axis, uint32_t source, uint32_t target, uint32_t from, uint32_t to, int64_t offset,
                  uint32_t limit) {
    const int64_t s = source, t = target;
    uint32_t at = 0;
    axis->outputs = to - from;
    axis->begin = limit, axis->end = 0;
    for (int64_t i = from; i < to; i++) {
        ee_taps *taps = &axis->taps[i - from];
        int64_t first, last, right = 0; /* last is exclusive */
        if (t < s) {
            first = i * s / t;
            last = ((i + 1) * s + t - 1) / t;
        } else {
            int64_t place = (2 * i + 1) * s - t, most = 2 * t * (s - 1);
            place = place < 0 ? 0 : place > most ? most : place;
            right = (2 * (place % (2 * t)) * ONE + 2 * t) / (4 * t);
            first = place / (2 * t);
            last = first + 1 + (right > 0);
        }
        *taps = (ee_taps){0, 0, at};
        for (int64_t j = first; j < last; j++) {
            int64_t input = j + offset;
            if (input < 0 || input >= limit)
                continue;
            if (!taps->count++)
                taps->first = (uint32_t)input;
            axis->weights[at++] = (uint16_t)(t < s ? box_weight(i, j, s, t) : j > first ? right : ONE - right);
        }
        if (taps->count && taps->first < axis->begin)
            axis->begin = taps->first;
        if (taps->count && taps->first + taps->count > axis->end)
            axis->end = taps->first + taps->count;
    }
    if (axis->begin > axis->end)
        axis->begin = axis->end;
}

/* Rows of an image, weighted: a number for each of its columns from `begin` to `end`. */
static void combine_rows(const ee_taps *taps, const uint16_t *weights, const uint8_t *image, size_t stride,
                         uint32_t begin, uint32_t end, uint32_t *restrict sums) {
    memset(sums + begin, 0, (end - begin) * sizeof *sums);
    for (uint32_t k = 0; k < taps->count; k++) {
        const uint16_t weight = weights[taps->at + k];
        const uint8_t *restrict row = image + (taps->first + k) * stride;
        for (uint32_t x = begin; x < end; x++)
            sums[x] += (uint32_t)weight * row[x];
    }
}

static uint32_t combine_columns(const ee_taps *taps, const uint16_t *weights, const uint32_t *sums) {
    uint32_t total = 0;
    for (uint32_t k = 0; k < taps->count; k++)
        total += weights[taps->at + k] * sums[taps->first + k];
    return total;
}

void ee_resample(const ee_axis *rows, const ee_axis *columns, const uint8_t *image, size_t stride, uint32_t *sums,
                 uint8_t *out) {
    for (uint32_t y = 0; y < rows->outputs; y++, out += columns->outputs) {
        combine_rows(&rows->taps[y], rows->weights, image, stride, columns->begin, columns->end, sums);
        for (uint32_t x = 0; x < columns->outputs; x++)
            out[x] = (uint8_t)((combine_columns(&columns->taps[x], columns->weights, sums) + HALF) >> (2 * BITS));
    }
}

typedef struct span {
    uint32_t begin, end;
} span;

/* Outputs that read any of the inputs of a span; taps move forward with the output. */
static span reading(const ee_axis *axis, span hot) {
    span found = {0, axis->outputs};
    while (found.begin < found.end && axis->taps[found.begin].first + axis->taps[found.begin].count <= hot.begin)
        found.begin++;
    while (found.end > found.begin && axis->taps[found.end - 1].first >= hot.end)
        found.end--;
    return found;
}

uint32_t ee_resample_mask(const ee_axis *rows, const ee_axis *columns, const uint8_t *prob, uint32_t size,
                          uint8_t threshold, uint32_t *sums, uint8_t *mask, size_t stride) {
    const uint32_t least = ((uint32_t)threshold << (2 * BITS)) - HALF; /* what rounds to the threshold */
    span hot_rows = {size, 0}, hot_columns = {size, 0};
    uint32_t area = 0;
    for (uint32_t y = 0; y < rows->outputs; y++)
        memset(mask + y * stride, 0, columns->outputs);
    for (uint32_t y = 0; y < size; y++)
        for (uint32_t x = 0; x < size; x++)
            if (prob[y * size + x] >= threshold) {
                hot_rows.begin = y < hot_rows.begin ? y : hot_rows.begin;
                hot_rows.end = y + 1;
                hot_columns.begin = x < hot_columns.begin ? x : hot_columns.begin;
                hot_columns.end = x + 1 > hot_columns.end ? x + 1 : hot_columns.end;
            }
    if (!hot_rows.end)
        return 0;
    /* An output that reads no pixel at the threshold cannot reach it: only the others are computed. */
    const span ys = reading(rows, hot_rows), xs = reading(columns, hot_columns);
    for (uint32_t y = ys.begin; y < ys.end; y++) {
        combine_rows(&rows->taps[y], rows->weights, prob, size, 0, size, sums);
        for (uint32_t x = xs.begin; x < xs.end; x++) {
            uint8_t cavity = combine_columns(&columns->taps[x], columns->weights, sums) >= least;
            mask[y * stride + x] = cavity;
            area += cavity;
        }
    }
    return area;
}
