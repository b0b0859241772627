#include "mask_score.h"

#include <string.h>

#include "constants.h"

/* Find the pixels at or above the threshold, and their sum. */
static void threshold_map(const ee_scorer *s, const uint8_t *prob, ee_mask_score *score) {
    for (uint32_t y = 0; y < s->size; y++) {
        const uint8_t *row = prob + (size_t)y * s->size;
        uint8_t *line = s->mask + (size_t)y * s->size;
        uint32_t pixels = 0, total = 0;
        for (uint32_t x = 0; x < s->size; x++) {
            const uint8_t is_cavity = row[x] >= s->threshold;
            line[x] = is_cavity;
            pixels += is_cavity;
            total += is_cavity ? row[x] : 0;
        }
        score->pixels += pixels;
        score->total += total;
    }
}

/* Find the largest piece. */
static void find_largest(const ee_scorer *s, ee_mask_score *score) {
    ee_component component = {
        .width = s->size, .height = s->size, .bottom = s->size, .right = s->size, .runs = s->runs};
    const size_t count = ee_find_runs(&component, s->mask);
    int32_t largest = 0;
    ee_join_runs(s->runs, count);
    for (size_t i = 0; i < count; i++)
        if (s->runs[i].link < s->runs[largest].link)
            largest = (int32_t)i;
    score->largest = (uint64_t)-s->runs[largest].link;
    score->box = (ee_box){s->runs[largest].row, 0, s->size, 0};
    ee_settle_runs(s->runs, count);
    for (size_t i = 0; i < count; i++) {
        const ee_run *run = &s->runs[i];
        if (run->link != largest)
            continue;
        score->box.bottom = run->row + 1u;
        score->box.left = run->first < score->box.left ? run->first : score->box.left;
        score->box.right = run->last + 1u > score->box.right ? run->last + 1u : score->box.right;
    }
}

ee_mask_score ee_score(const ee_scorer *s, const uint8_t *prob, const uint8_t *inside) {
    ee_mask_score score = {0};
    const size_t size = s->size, pixels = size * size;
    threshold_map(s, prob, &score);
    if (!score.pixels)
        return score;
    find_largest(s, &score);
    for (size_t x = 0; x < size; x++)
        score.edge += (uint64_t)s->mask[x] + s->mask[pixels - size + x];
    for (size_t y = 1; y + 1 < size; y++)
        score.edge += (uint64_t)s->mask[y * size] + s->mask[y * size + size - 1];
    for (size_t i = 0; inside && i < pixels; i++)
        score.outside += s->mask[i] && !inside[i];
    return score;
}

double ee_confidence(const ee_mask_score *score) {
    return score->pixels ? (double)score->total / (double)(255 * score->pixels) : 0;
}

int ee_is_cut(const ee_mask_score *score) {
    return score->edge > EE_MAX_EDGE_CELLS;
}
