#include "component.h"

#include <string.h>

/* The first column from `from` on that is set, or is not. Most of a mask is empty: a long step at a time. */
static uint32_t find_set(const uint8_t *row, uint32_t from, uint32_t width) {
    uint64_t step[2];
    for (; from + sizeof step <= width; from += sizeof step) {
        memcpy(step, row + from, sizeof step);
        if ((step[0] | step[1]) != 0)
            break;
    }
    while (from < width && row[from] == 0)
        from++;
    return from;
}

static uint32_t find_clear(const uint8_t *row, uint32_t from, uint32_t width) {
    const uint8_t *clear = memchr(row + from, 0, width - from);
    return clear ? (uint32_t)(clear - row) : width;
}

/* The first run of a component. */
static int32_t root_of(ee_run *runs, int32_t i) {
    while (runs[i].link >= 0) {
        const int32_t next = runs[i].link;
        if (runs[next].link >= 0)
            runs[i].link = runs[next].link;
        i = next;
    }
    return i;
}

static void join(ee_run *runs, int32_t a, int32_t b) {
    a = root_of(runs, a);
    b = root_of(runs, b);
    if (a == b)
        return;
    const int32_t first = a < b ? a : b, other = a < b ? b : a;
    runs[first].link += runs[other].link;
    runs[other].link = first;
}

size_t ee_find_runs(ee_component *component, const uint8_t *mask) {
    const uint32_t width = component->width;
    ee_run *runs = component->runs;
    size_t count = 0;
    for (uint32_t row = 0; row < component->height; row++, mask += width)
        for (uint32_t end, first = find_set(mask, 0, width); first < width; first = find_set(mask, end, width)) {
            end = find_clear(mask, first, width);
            runs[count++] = (ee_run){(uint16_t)row, (uint16_t)first, (uint16_t)(end - 1), 0};
        }
    return count;
}

void ee_join_runs(ee_run *runs, size_t runs_in_all) {
    const int32_t count = (int32_t)runs_in_all;
    int32_t above = 0, row_start = 0; /* the first run of the row above that still matters; of this row */
    for (int32_t i = 0; i < count; i++) {
        ee_run *run = &runs[i];
        run->link = -((int32_t)run->last - run->first + 1);
        if (i > 0 && run->row != runs[i - 1].row) {
            above = run->row == runs[i - 1].row + 1 ? row_start : i;
            row_start = i;
        }
        while (above < row_start && runs[above].last < run->first)
            above++;
        for (int32_t k = above; k < row_start && runs[k].first <= run->last; k++)
            join(runs, k, i);
    }
}

void ee_settle_runs(ee_run *runs, size_t count) {
    for (size_t i = 0; i < count; i++) /* a link leads to an earlier run, which is settled */
        runs[i].link = runs[i].link < 0 ? (int32_t)i : runs[runs[i].link].link;
}

/* The first run of the largest component of some that are joined. */
static int32_t find_largest(const ee_run *runs, size_t count) {
    int32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        if (runs[i].link < runs[largest].link) /* of those that are not first, none is negative */
            largest = (int32_t)i;
    return largest;
}

size_t ee_keep_largest(ee_component *component, size_t count) {
    ee_run *runs = component->runs;
    size_t kept = 0;
    component->pixels = 0;
    if (count == 0)
        return 0;
    ee_join_runs(runs, count);
    const int32_t largest = find_largest(runs, count);
    component->pixels = (size_t)-runs[largest].link;
    ee_settle_runs(runs, count);
    for (size_t i = 0; i < count; i++)
        if (runs[i].link == largest)
            runs[kept++] = runs[i];
    return kept;
}

void ee_largest_component(ee_component *component, size_t count) {
    ee_run *runs = component->runs;
    component->run_count = component->edge_count = component->pixels = 0;
    if (count == 0)
        return;
    uint16_t left = UINT16_MAX;
    const uint16_t top = runs[0].row;
    for (size_t i = 0; i < count; i++)
        left = runs[i].first < left ? runs[i].first : left;
    component->run_count = ee_keep_largest(component, count);
    component->corner = (ee_pixel){top, left};
    for (ee_run *run = runs; run < runs + component->run_count; run++) {
        run->row = (uint16_t)(run->row - top);
        run->first = (uint16_t)(run->first - left);
        run->last = (uint16_t)(run->last - left);
    }
}

/* The first run from `at` on, of a row or below it, that does not end before a column. */
static const ee_run *reach(const ee_run *at, const ee_run *end, int32_t row, uint32_t col) {
    while (at < end && (at->row < row || (at->row == row && at->last < col)))
        at++;
    return at;
}

void ee_edge_pixels(ee_component *component) {
    const ee_run *const end = component->runs + component->run_count, *up = component->runs, *down = component->runs;
    ee_pixel *edge = component->edge;
    for (const ee_run *run = component->runs; run < end; run++) {
        uint16_t col = run->first;
        *edge++ = (ee_pixel){run->row, col++};
        while (col < run->last) {
            up = reach(up, end, run->row - 1, col);
            down = reach(down, end, run->row + 1, col);
            if (up < end && up->row + 1 == run->row && up->first <= col && down < end && down->row == run->row + 1 &&
                down->first <= col) {
                /* covered above and below: inside, as far as both reach */
                const uint16_t covered = up->last < down->last ? up->last : down->last;
                col = (uint16_t)((covered < run->last ? covered : run->last - 1) + 1);
            } else {
                *edge++ = (ee_pixel){run->row, col++};
            }
        }
        if (run->last > run->first)
            *edge++ = (ee_pixel){run->row, run->last};
    }
    component->edge_count = (size_t)(edge - component->edge);
}
