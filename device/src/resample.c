#include "resample.h"

#include <string.h>

#include "combine.h"
#include "limits.h"

enum { BITS = EE_WEIGHT_BITS, ONE = 1 << BITS, CACHE_LINE_BYTES = 64 };
static const uint32_t HALF = 1u << (2 * BITS - 1); /* of the unit that a sum over both axes has */

size_t ee_axis_capacity(uint32_t inputs, uint32_t outputs) {
    return (size_t)inputs + 2 * (size_t)outputs;
}

/* Share of [0, source) up to `covered`, in 1 / ONE, halves up. */
static int64_t rounded_share(int64_t covered, int64_t source) {
    return (2 * covered * ONE + source) / (2 * source);
}

/* Weight of source pixel j in output i, where a box shrinks the axis. */
static int64_t box_weight(int64_t i, int64_t j, int64_t source, int64_t target) {
    int64_t low = j * target - i * source, high = low + target;
    return rounded_share(high < source ? high : source, source) - rounded_share(low > 0 ? low : 0, source);
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

void ee_axis_pad(ee_axis *axis, size_t capacity) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < axis->outputs; i++)
        most = axis->taps[i].count > most ? axis->taps[i].count : most;
    if ((size_t)most * axis->outputs > capacity)
        return;
    for (uint32_t i = axis->outputs; i-- > 0;) { /* from the last on: weights move towards the end */
        const ee_taps taps = axis->taps[i];
        const uint32_t latest = axis->end - most, first = !taps.count || taps.first > latest ? latest : taps.first;
        const uint32_t before = taps.count ? taps.first - first : 0;
        uint16_t *to = axis->weights + (size_t)i * most;
        memmove(to + before, axis->weights + taps.at, taps.count * sizeof *to);
        memset(to, 0, before * sizeof *to);
        memset(to + before + taps.count, 0, (most - before - taps.count) * sizeof *to);
        axis->taps[i] = (ee_taps){first, most, i * most};
    }
}

void ee_combine_rows(const ee_taps *taps, const uint16_t *weights, const uint8_t *image, size_t stride, uint32_t begin,
                     uint32_t end, uint32_t *sums) {
    const uint8_t *first = image + taps->first * stride;
    weights += taps->at;
    if (end - begin >= EE_BLOCK) {
        ee_combine *const combine = ee_best_combine();
        for (uint32_t x = begin; x + EE_BLOCK <= end; x += EE_BLOCK)
            combine(weights, taps->count, first + x, stride, sums + x);
        combine(weights, taps->count, first + end - EE_BLOCK, stride, sums + end - EE_BLOCK);
        return;
    }
    for (uint32_t x = begin; x < end; x++) {
        sums[x] = 0;
        for (uint32_t k = 0; k < taps->count; k++)
            sums[x] += (uint32_t)weights[k] * first[k * stride + x];
    }
}

/* Prefetch the rows that come next while the columns of these are combined: a frame is not in the cache yet. */
static void prefetch_rows(const ee_axis *rows, uint32_t next, const uint8_t *image, size_t stride, uint32_t width) {
#if defined(__GNUC__)
    const ee_taps taps = rows->taps[next];
    const uint32_t last = taps.first + EE_SUM_ROWS * taps.count;
    for (uint32_t y = taps.first; y < last && y < rows->end; y++)
        for (uint32_t x = 0; x < width; x += CACHE_LINE_BYTES)
            __builtin_prefetch(image + y * stride + x);
#endif
}

enum { PAIRS = EE_SUM_ROWS / 2 };

/* Sum EE_SUM_ROWS rows of output, from `y` on, over rows of the image: two rows in a number, the second in its upper half.
 * `sums` has one such number for each column and pair, and then room for two rows of sums. */
static void sum_rows(const ee_axis *rows, uint32_t y, const ee_axis *columns, const uint8_t *image, size_t stride,
                     uint64_t *sums, size_t room) {
    uint32_t *const first = (uint32_t *)(sums + PAIRS * room), *const second = first + room;
    for (uint32_t pair = 0; pair < PAIRS; pair++, y += 2, sums += room) {
        const uint32_t last = rows->outputs - 1, a = y < last ? y : last, b = y + 1 < last ? y + 1 : last;
        ee_combine_rows(&rows->taps[a], rows->weights, image, stride, columns->begin, columns->end, first);
        ee_combine_rows(&rows->taps[b], rows->weights, image, stride, columns->begin, columns->end, second);
        for (uint32_t x = columns->begin; x < columns->end; x++)
            sums[x] = first[x] | (uint64_t)second[x] << 32;
    }
}

/* Sum over columns: `group` rows of output, one after the other. Inlined where `group` is known. */
static inline void sum_columns(const ee_axis *columns, const uint64_t *sums, size_t room, uint32_t group,
                               uint8_t *restrict out) {
    const uint64_t halves = HALF | (uint64_t)HALF << 32;
    const ee_taps *taps = columns->taps;
    for (uint32_t x = 0; x < columns->outputs; x++) {
        const uint16_t *weights = columns->weights + taps[x].at;
        const uint64_t *first = sums + taps[x].first, *second = first + room;
        const uint32_t count = taps[x].count;
        uint64_t a = halves, b = halves; /* at most 2^30 in each half: the lower one does not overflow */
        for (uint32_t k = 0; k < count; k++) {
            a += weights[k] * first[k];
            b += weights[k] * second[k];
        }
        for (uint32_t r = 0; r < group; r++)
            out[r * columns->outputs + x] = (uint8_t)((uint32_t)((r < 2 ? a : b) >> r % 2 * 32) >> (2 * BITS));
    }
}

void ee_resample(const ee_axis *rows, const ee_axis *columns, const uint8_t *image, size_t stride, uint64_t *sums,
                 size_t room, uint8_t *out) {
    for (uint32_t y = 0; y < rows->outputs; y += EE_SUM_ROWS) {
        const uint32_t group = rows->outputs - y < EE_SUM_ROWS ? rows->outputs - y : EE_SUM_ROWS;
        sum_rows(rows, y, columns, image, stride, sums, room);
        if (y + group < rows->outputs)
            prefetch_rows(rows, y + group, image + columns->begin, stride, columns->end - columns->begin);
        if (group == EE_SUM_ROWS)
            sum_columns(columns, sums, room, EE_SUM_ROWS, out + (size_t)y * columns->outputs);
        else
            sum_columns(columns, sums, room, group, out + (size_t)y * columns->outputs);
    }
}
