#include "mask_score.h"

#include "constants.h"

/* Count a run of the mask. */
static void add_run(const ee_scorer *s, const ee_run *run, const uint8_t *prob, const uint8_t *inside,
                    ee_mask_score *score) {
    const uint32_t last = s->size - 1, length = run->last - run->first + 1u;
    const size_t start = (size_t)run->row * s->size + run->first;
    uint32_t total = 0, within = 0;
    for (uint32_t i = 0; i < length; i++)
        total += prob[start + i];
    for (uint32_t i = 0; inside && i < length; i++)
        within += inside[start + i];
    score->pixels += length;
    score->total += total;
    score->edge += run->row == 0 || run->row == last ? length : (run->first == 0) + (uint32_t)(run->last == last);
    score->outside += inside ? length - within : 0;
}

/* Find the largest piece among the runs. */
static void find_largest(ee_run *runs, size_t count, ee_mask_score *score) {
    int32_t largest = 0;
    ee_join_runs(runs, count);
    for (size_t i = 0; i < count; i++)
        if (runs[i].link < runs[largest].link)
            largest = (int32_t)i;
    score->largest = (uint64_t)-runs[largest].link;
    score->box = (ee_box){runs[largest].row, 0, runs[largest].first, 0};
    ee_settle_runs(runs, count);
    for (size_t i = 0; i < count; i++) {
        if (runs[i].link != largest)
            continue;
        score->box.bottom = runs[i].row + 1u;
        score->box.left = runs[i].first < score->box.left ? runs[i].first : score->box.left;
        score->box.right = runs[i].last + 1u > score->box.right ? runs[i].last + 1u : score->box.right;
    }
}

ee_mask_score ee_score(const ee_scorer *s, const uint8_t *prob, const uint8_t *inside) {
    ee_mask_score score = {0};
    const size_t pixels = (size_t)s->size * s->size;
    const uint8_t threshold = s->threshold;
    uint8_t *restrict mask = s->mask;
    for (size_t i = 0; i < pixels; i++)
        mask[i] = prob[i] >= threshold;
    ee_component component = {.width = s->size, .height = s->size, .runs = s->runs};
    const size_t count = ee_find_runs(&component, s->mask);
    if (!count)
        return score;
    for (size_t i = 0; i < count; i++)
        add_run(s, &s->runs[i], prob, inside, &score);
    find_largest(s->runs, count, &score);
    return score;
}

double ee_confidence(const ee_mask_score *score) {
    return score->pixels ? (double)score->total / (double)(UINT8_MAX * score->pixels) : 0;
}

int ee_is_cut(const ee_mask_score *score) {
    return score->edge > EE_MAX_EDGE_CELLS;
}
