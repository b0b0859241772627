#include "frame_history.h"

#include <string.h>

#include "../measure/curve_buffer.h"
#include "constants.h"

size_t ee_frame_history_capacity(double fps, uint32_t delay) {
    return ee_curve_buffer_capacity(fps) + delay + 1; /* and the frame before the first of a beat */
}

void ee_frame_history_reset(ee_frame_history *h) {
    h->scored = h->seen = 0;
}

void ee_frame_history_see(ee_frame_history *h, const uint8_t *picture) {
    const uint64_t seen = h->seen++;
    const ee_small *before = &h->pictures[(seen + 1) % 2];
    ee_small *now = &h->pictures[seen % 2];
    ee_motion *motion = &h->motion[seen % h->capacity];
    ee_make_small(picture, h->size, h->cells, h->columns, now);
    if (!seen) {
        *motion = (ee_motion){0};
        return;
    }
    const ee_change change = ee_explained_change(before, now, h->cells);
    *motion = h->motion[(seen - 1) % h->capacity];
    motion->explained += change.explained;
    motion->whole += change.whole;
    motion->still += memcmp(before->levels, now->levels, (size_t)h->cells * h->cells * sizeof *now->levels) == 0;
}

void ee_frame_history_score(ee_frame_history *h, const ee_mask_score *score) {
    const uint64_t frame = h->scored++;
    ee_frame_sums *sums = &h->sums[frame % h->capacity];
    *sums = frame ? h->sums[(frame - 1) % h->capacity] : (ee_frame_sums){0};
    sums->pixels += score->pixels;
    sums->total += score->total;
    sums->broken += score->pixels && (double)score->largest < EE_MIN_LARGEST_FRACTION * (double)score->pixels;
    sums->edge += score->edge;
    sums->outside += score->outside;
    h->boxes[frame % h->capacity] = score->box;
}

ee_frame_sums ee_frame_history_over(const ee_frame_history *h, uint64_t first, uint64_t last) {
    const ee_frame_sums before = first ? h->sums[(first - 1) % h->capacity] : (ee_frame_sums){0};
    const ee_frame_sums all = h->sums[last % h->capacity];
    return (ee_frame_sums){
        .pixels = all.pixels - before.pixels,
        .total = all.total - before.total,
        .broken = all.broken - before.broken,
        .edge = all.edge - before.edge,
        .outside = all.outside - before.outside,
    };
}

ee_motion ee_frame_history_motion(const ee_frame_history *h, uint64_t first, uint64_t last) {
    const ee_motion from = h->motion[first % h->capacity];
    const ee_motion to = h->motion[(last < h->seen ? last : h->seen - 1) % h->capacity];
    return (ee_motion){to.explained - from.explained, to.whole - from.whole, to.still - from.still};
}

ee_box ee_frame_history_box(const ee_frame_history *h, uint64_t frame) {
    return h->boxes[frame % h->capacity];
}
