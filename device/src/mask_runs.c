#include "mask_runs.h"

#include <string.h>

#include "combine.h"
#include "limits.h"

enum { BITS = EE_WEIGHT_BITS };
static const uint32_t HALF = 1u << (2 * BITS - 1); /* of the unit that a sum over both axes has */

/* Find, for each column c of the map, the first pixel that reads nothing before it, and the first that reads something
 * beyond it. */
static void find_readers(ee_mask_map *map) {
    const ee_axis *axis = &map->axes.columns;
    uint32_t f = 0, b = 0;
    for (uint32_t c = 0; c < map->size; c++) {
        while (f < axis->outputs && axis->taps[f].first < c)
            f++;
        while (b < axis->outputs && axis->taps[b].first + axis->taps[b].count <= c + 1)
            b++;
        map->from[c] = f, map->beyond[c] = b;
    }
    map->from[map->size] = axis->outputs;
    map->reach = 0;
    for (uint32_t i = 0; i < axis->outputs; i++)
        map->reach = axis->taps[i].count > map->reach + 1 ? axis->taps[i].count - 1 : map->reach;
}

void ee_mask_map_set(ee_mask_map *map, const ee_roi *roi, uint32_t width, uint32_t height) {
    ee_fill_axes_out(&map->axes, roi, map->size, width, height, &map->x, &map->y);
    find_readers(map);
}

/* Box around the values of the map that are at least the threshold; its ends are exclusive. `column_max` has room for
 * `size` values. */
static ee_box find_box(const uint8_t *prob, uint32_t size, uint8_t threshold, uint8_t *column_max) {
    ee_box box = {size, 0, size, 0};
    memset(column_max, 0, size);
    for (uint32_t y = 0; y < size; y++) {
        const uint8_t *row = prob + (size_t)y * size;
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

typedef struct { /* runs of the row that is written */
    ee_run *first, *end;
    uint16_t row;
    size_t x;             /* of the region in the frame */
    uint32_t left, right; /* where a run began and ended last: those of the next row are near */
} line;

/* Add the pixels from `begin` to `end` (exclusive), behind those before. */
static void add_pixels(line *l, uint32_t begin, uint32_t end) {
    const uint16_t first = (uint16_t)(l->x + begin), last = (uint16_t)(l->x + end - 1);
    if (l->end > l->first && l->end[-1].last + 1 == first)
        l->end[-1].last = last;
    else
        *l->end++ = (ee_run){l->row, first, last, 0};
}

/* Whether the total of a pixel over both axes is at least `least`. */
static int is_cavity(const ee_mask_map *map, uint32_t x, uint32_t least) {
    const ee_axis *columns = &map->axes.columns;
    const ee_taps taps = columns->taps[x];
    uint32_t total = 0;
    for (uint32_t k = 0; k < taps.count; k++)
        total += columns->weights[taps.at + k] * map->sums[taps.first + k];
    return total >= least;
}

/* Add those pixels from `begin` to `end` that are cavity. They lie between a column below the threshold and one above
 * it (`rises`), or the other way round: where each reads these two alone, their totals rise or fall from one to the
 * next. */
static void add_edge(line *l, const ee_mask_map *map, uint32_t begin, uint32_t end, uint32_t least, int rises) {
    const uint32_t near = rises ? l->left : l->right;
    uint32_t x = near < begin ? begin : near < end ? near : end;
    if (map->reach > 1) {
        for (x = begin; x < end; x++)
            if (is_cavity(map, x, least))
                add_pixels(l, x, x + 1);
        return;
    }
    while (x > begin && is_cavity(map, x - 1, least) == rises)
        x--;
    while (x < end && is_cavity(map, x, least) != rises)
        x++;
    if (rises && x < end)
        add_pixels(l, x, end);
    else if (!rises && x > begin)
        add_pixels(l, begin, x);
    *(rises ? &l->left : &l->right) = x;
}

/* Add the runs of a row whose sums over rows lie in `sums`. Weights add up to one: a pixel that reads only sums of at
 * least the threshold is cavity, one that reads none is not, and only those between are computed. */
static void add_row(line *l, const ee_mask_map *map, const ee_box *box, uint32_t least) {
    const uint32_t least_sum = least >> BITS; /* exact */
    uint32_t done = 0;
    for (uint32_t a = box->left, b; a < box->right; a = b + 1) {
        b = a;
        if (map->sums[a] < least_sum)
            continue;
        while (b + 1 < box->right && map->sums[b + 1] >= least_sum)
            b++;
        uint32_t x = a && map->beyond[a - 1] > done ? map->beyond[a - 1] : done;
        if (x < map->from[a]) {
            add_edge(l, map, x, map->from[a], least, 1);
            x = map->from[a];
        }
        if (x < map->beyond[b]) {
            add_pixels(l, x, map->beyond[b]);
            x = map->beyond[b];
        }
        if (x < map->from[b + 1]) {
            add_edge(l, map, x, map->from[b + 1], least, 0);
            x = map->from[b + 1];
        }
        done = x;
    }
}

size_t ee_find_mask_runs(const ee_mask_map *map, const uint8_t *prob, ee_run *runs) {
    const ee_axis *rows = &map->axes.rows;
    const uint32_t least = ((uint32_t)map->threshold << (2 * BITS)) - HALF; /* least total that rounds to it */
    const ee_box box = find_box(prob, map->size, map->threshold, (uint8_t *)map->sums);
    line l = {.first = runs, .end = runs, .x = map->x};
    if (!box.bottom)
        return 0;
    uint32_t begin = box.left > map->reach ? box.left - map->reach : 0;
    const uint32_t end = map->size - box.right > map->reach ? box.right + map->reach : map->size;
    if (end - begin < EE_BLOCK) /* a block of columns is summed faster than fewer */
        begin = end > EE_BLOCK ? end - EE_BLOCK : 0;
    for (uint32_t y = 0; y < rows->outputs; y++) {
        const ee_taps taps = rows->taps[y];
        if (taps.first >= box.bottom || taps.first + taps.count <= box.top)
            continue;
        ee_combine_rows(&rows->taps[y], rows->weights, prob, map->size, begin, end, map->sums);
        l.first = l.end;
        l.row = (uint16_t)(map->y + y);
        add_row(&l, map, &box, least);
    }
    return (size_t)(l.end - runs);
}

void ee_draw_mask(const ee_runs *runs, uint32_t width, uint32_t height, uint8_t *mask, size_t stride) {
    for (uint32_t y = 0; y < height; y++)
        memset(mask + y * stride, 0, width);
    for (size_t i = 0; i < runs->count; i++) {
        const ee_run *run = &runs->runs[i];
        memset(mask + (size_t)(run->row + runs->corner.row) * stride + run->first + runs->corner.col, 1,
               (size_t)run->last - run->first + 1);
    }
}
