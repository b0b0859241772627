#include "resample.h"

#include <string.h>

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

enum { BLOCK = 16 }; /* columns whose sums stay in registers */

/* Rows of an image, weighted: a number for each of its columns from `begin` to `end`. */
static void combine_rows(const ee_taps *taps, const uint16_t *weights, const uint8_t *image, size_t stride,
                         uint32_t begin, uint32_t end, uint32_t *sums) {
    const uint8_t *first = image + taps->first * stride;
    weights += taps->at;
    uint32_t x = begin;
    for (; x + BLOCK <= end; x += BLOCK) {
        uint32_t block[BLOCK] = {0};
        for (uint32_t k = 0; k < taps->count; k++)
            for (uint32_t i = 0; i < BLOCK; i++)
                block[i] += (uint32_t)weights[k] * first[k * stride + x + i];
        memcpy(sums + x, block, sizeof block);
    }
    for (; x < end; x++) {
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

void ee_resample(const ee_axis *rows, const ee_axis *columns, const uint8_t *image, size_t stride, uint32_t *sums,
                 size_t room, uint8_t *out) {
    for (uint32_t y = 0; y < rows->outputs; y += EE_SUM_ROWS) {
        const uint32_t group = rows->outputs - y < EE_SUM_ROWS ? rows->outputs - y : EE_SUM_ROWS;
        for (uint32_t r = 0; r < group; r++)
            combine_rows(&rows->taps[y + r], rows->weights, image, stride, columns->begin, columns->end,
                         sums + r * room);
        if (y + group < rows->outputs)
            prefetch_rows(rows, y + group, image + columns->begin, stride, columns->end - columns->begin);
        for (uint32_t x = 0; x < columns->outputs; x++) {
            const ee_taps taps = columns->taps[x];
            uint32_t total[EE_SUM_ROWS] = {HALF, HALF, HALF, HALF}; /* a weight is read once for all */
            for (uint32_t k = 0; k < taps.count; k++)
                for (uint32_t r = 0; r < EE_SUM_ROWS; r++)
                    total[r] += columns->weights[taps.at + k] * sums[r * room + taps.first + k];
            for (uint32_t r = 0; r < group; r++)
                out[(y + r) * columns->outputs + x] = (uint8_t)(total[r] >> (2 * BITS));
        }
    }
}

/* For each input c, the first output that reads nothing before it, and the first that reads something beyond it. */
static void find_readers(const ee_axis *axis, uint32_t size, uint32_t *from, uint32_t *beyond) {
    uint32_t f = 0, b = 0;
    for (uint32_t c = 0; c < size; c++) {
        while (f < axis->outputs && axis->taps[f].first < c)
            f++;
        while (b < axis->outputs && axis->taps[b].first + axis->taps[b].count <= c + 1)
            b++;
        from[c] = f, beyond[c] = b;
    }
    from[size] = axis->outputs;
}

static uint32_t is_cavity(const ee_axis *columns, uint32_t x, const uint32_t *sums, uint32_t least) {
    const ee_taps taps = columns->taps[x];
    uint32_t total = 0;
    for (uint32_t k = 0; k < taps.count; k++)
        total += columns->weights[taps.at + k] * sums[taps.first + k];
    return total >= least;
}

/* Box around the values of a square map that are at least the threshold; its ends are exclusive. */
static ee_box find_box(const uint8_t *prob, uint32_t size, uint8_t threshold) {
    ee_box box = {size, 0, size, 0};
    uint8_t column_max[EE_MAX_SIZE_PX] = {0};
    for (uint32_t y = 0; y < size; y++) {
        const uint8_t *row = prob + y * size;
        uint8_t largest = 0;
        for (uint32_t x = 0; x < size; x++) {
            largest = row[x] > largest ? row[x] : largest;
            column_max[x] = row[x] > column_max[x] ? row[x] : column_max[x];
        }
        if (largest >= threshold) {
            box.top = y < box.top ? y : box.top;
            box.bottom = y + 1;
        }
    }
    for (uint32_t x = 0; x < size; x++)
        if (column_max[x] >= threshold) {
            box.left = x < box.left ? x : box.left;
            box.right = x + 1;
        }
    return box;
}

/* Extend a box by the columns from `begin` to `end` of a row below it. */
static void extend_box(ee_box *box, uint32_t y, uint32_t begin, uint32_t end) {
    box->top = y < box->top ? y : box->top;
    box->bottom = y + 1;
    box->left = begin < box->left ? begin : box->left;
    box->right = end > box->right ? end : box->right;
}

uint32_t ee_resample_mask(const ee_axis *rows, const ee_axis *columns, const uint8_t *prob, uint32_t size,
                          uint8_t threshold, uint32_t *sums, uint8_t *mask, size_t stride, ee_box *drawn) {
    const uint32_t least = ((uint32_t)threshold << (2 * BITS)) - HALF; /* least total that rounds to the threshold */
    const uint32_t least_sum = least >> BITS;                          /* the same for sums over one axis; exact */
    uint32_t from[EE_MAX_SIZE_PX + 1], beyond[EE_MAX_SIZE_PX], area = 0;
    for (uint32_t y = drawn->top; y < drawn->bottom; y++)
        memset(mask + y * stride + drawn->left, 0, drawn->right - drawn->left);
    *drawn = (ee_box){rows->outputs, 0, columns->outputs, 0};
    const ee_box box = find_box(prob, size, threshold);
    if (!box.bottom)
        return 0;
    find_readers(columns, size, from, beyond);
    for (uint32_t y = 0; y < rows->outputs; y++) {
        const ee_taps taps = rows->taps[y];
        uint8_t *line = mask + y * stride;
        uint32_t done = 0;
        if (taps.first >= box.bottom || taps.first + taps.count <= box.top)
            continue;
        combine_rows(&rows->taps[y], rows->weights, prob, size, 0, size, sums);
        for (uint32_t a = box.left, b; a < box.right; a = b + 1) { /* runs a to b of sums of at least `least_sum` */
            b = a;
            if (sums[a] < least_sum)
                continue;
            while (b + 1 < box.right && sums[b + 1] >= least_sum)
                b++;
            /* Weights add up to one: a pixel that reads such sums alone is cavity, one that reads none is not. */
            uint32_t x = a && beyond[a - 1] > done ? beyond[a - 1] : done;
            const uint32_t begin = x;
            for (; x < from[a]; x++)
                area += line[x] = (uint8_t)is_cavity(columns, x, sums, least);
            if (x < beyond[b]) {
                memset(line + x, 1, beyond[b] - x);
                area += beyond[b] - x;
                x = beyond[b];
            }
            for (; x < from[b + 1]; x++)
                area += line[x] = (uint8_t)is_cavity(columns, x, sums, least);
            if (begin < x)
                extend_box(drawn, y, begin, x);
            done = x;
        }
    }
    return area;
}
