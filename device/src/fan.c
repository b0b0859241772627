#include "fan.h"

#include <string.h>

/* Largest (or smallest) value within EE_CLOSING_CELLS of each place of a row or column of the padded grid. */
static void spread_line(const uint8_t *from, uint8_t *to, uint32_t count, size_t step, int is_smallest) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t first = i > EE_CLOSING_CELLS ? i - EE_CLOSING_CELLS : 0;
        const uint32_t last = i + EE_CLOSING_CELLS < count ? i + EE_CLOSING_CELLS : count - 1;
        uint8_t found = from[first * step];
        for (uint32_t k = first + 1; k <= last; k++)
            found = is_smallest ? found & from[k * step] : found | from[k * step];
        to[i * step] = found;
    }
}

static void spread(ee_fan_finder *f, uint32_t side, int is_smallest) {
    for (uint32_t y = 0; y < side; y++)
        spread_line(f->joined + y * side, f->other + y * side, side, 1, is_smallest);
    for (uint32_t x = 0; x < side; x++)
        spread_line(f->other + x, f->joined + x, side, side, is_smallest);
}

/* Write the runs of the grid within the padding, and return their number. */
static size_t find_runs(ee_fan_finder *f, uint32_t cells, uint32_t side) {
    size_t count = 0;
    for (uint32_t y = 0; y < cells; y++) {
        const uint8_t *row = f->joined + (y + EE_CLOSING_EDGE) * side + EE_CLOSING_EDGE;
        for (uint32_t x = 0, first; x < cells; x++) {
            if (!row[x])
                continue;
            for (first = x; x + 1 < cells && row[x + 1]; x++)
                continue;
            f->runs[count++] = (ee_run){(uint16_t)y, (uint16_t)first, (uint16_t)x, 0};
        }
    }
    return count;
}

static ee_fan fan_of(const ee_fan_finder *f, size_t count, int32_t first) {
    ee_fan fan = {.box = {EE_GRID_PX, 0, EE_GRID_PX, 0}};
    for (size_t i = 0; i < count; i++) {
        const ee_run *run = &f->runs[i];
        if (run->link != first)
            continue;
        if (fan.box.bottom != run->row + 1u)
            fan.first[run->row] = (uint8_t)run->first;
        fan.last[run->row] = (uint8_t)run->last;
        fan.box.top = run->row < fan.box.top ? run->row : fan.box.top;
        fan.box.bottom = run->row + 1u;
        fan.box.left = run->first < fan.box.left ? run->first : fan.box.left;
        fan.box.right = run->last + 1u > fan.box.right ? run->last + 1u : fan.box.right;
    }
    return fan;
}

/* Close gaps, remove what is thin, and find the large components in order of size; 0 if there is none. */
static int find_fans_of(ee_fan_finder *f, uint32_t cells, ee_fans *fans) {
    const uint32_t side = cells + 2 * EE_CLOSING_EDGE;
    const int is_smallest[] = {0, 1, 1, 0}; /* closing, then opening */
    for (int i = 0; i < 4; i++)
        spread(f, side, is_smallest[i]);
    const size_t count = find_runs(f, cells, side);
    ee_join_runs(f->runs, count);
    int64_t largest = 0;
    uint32_t components = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        largest = -f->runs[i].link > largest ? -f->runs[i].link : largest;
    if (largest * EE_MIN_FAN_PARTS <= (int64_t)cells * cells)
        return 0;
    for (size_t i = 0; i < count; i++) { /* in order of size, those of one size in raster order */
        const int32_t pixels = -f->runs[i].link;
        if (pixels <= 0 || (int64_t)pixels * EE_MIN_PANEL_PARTS < largest)
            continue;
        uint32_t at = components++;
        for (; at > 0 && f->components[at - 1].pixels < pixels; at--)
            f->components[at] = f->components[at - 1];
        f->components[at].first = (int32_t)i, f->components[at].pixels = pixels;
    }
    ee_settle_runs(f->runs, count);
    for (; kept < components && kept < EE_MAX_FANS; kept++) {
        const ee_fan fan = fan_of(f, count, f->components[kept].first);
        fans->boxes[kept] = fan.box;
        fans->largest = kept ? fans->largest : fan;
    }
    fans->count = kept;
    return 1;
}

void ee_find_fans(ee_fan_finder *f, const uint8_t *brightest, const uint8_t *darkest, uint32_t cells) {
    static const int levels[] = EE_LEVELS;
    const uint32_t side = cells + 2 * EE_CLOSING_EDGE;
    f->levels = 0;
    for (int i = 0; i < EE_LEVELS_COUNT; i++) {
        uint64_t moving = 0, lit = 0;
        for (uint32_t k = 0; k < cells * cells; k++) {
            moving += brightest[k] - darkest[k] > levels[i];
            lit += brightest[k] > levels[i];
        }
        for (int is_lit = moving * EE_MIN_MOVING_PARTS <= lit, found = 0; is_lit < 2 && !found; is_lit++) {
            memset(f->joined, 0, (size_t)side * side);
            for (uint32_t y = 0, k = 0; y < cells; y++)
                for (uint32_t x = 0; x < cells; x++, k++)
                    f->joined[(y + EE_CLOSING_EDGE) * side + x + EE_CLOSING_EDGE] =
                        brightest[k] - (is_lit ? 0 : darkest[k]) > levels[i];
            found = find_fans_of(f, cells, &f->at[f->levels]);
            f->levels += (uint32_t)found;
        }
    }
}
