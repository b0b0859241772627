#include "view_search.h"

#include <string.h>

void ee_forget_samples(ee_view_search *s) {
    s->samples = s->panels = 0;
    s->confidence = 0;
    s->has_refined = 0;
    memset(s->gains, 0, sizeof s->gains);
    memset(s->gain_looks, 0, sizeof s->gain_looks);
}

void ee_view_search_init(ee_view_search *s) {
    ee_grid_init(&s->grid, &s->shape);
    s->is_inverted = 0;
    ee_forget_samples(s);
    s->region = (ee_region){
        .roi = s->searches_region ? ee_whole_frame(&s->shape) : s->given_roi,
        .flips = s->searches_orientation ? EE_APEX_FLIPS[EE_NO_SIDE] : &s->given_flip,
        .flip_count = 1,
    };
}

void ee_view_search_restart(ee_view_search *s) {
    ee_grid_reset(&s->grid);
    s->is_inverted = 0;
    ee_forget_samples(s);
}

void ee_view_search_add(ee_view_search *s, const uint8_t *pixels, size_t stride) {
    ee_grid_add(&s->grid, pixels, stride, s->sums, s->shape.width);
}

static void begin_stage(ee_view_search *s, int stage) {
    s->sample.stage = stage;
    s->sample.next = 0;
    if (EE_STAGES[stage].begin)
        EE_STAGES[stage].begin(s);
}

void ee_view_search_sample(ee_view_search *s, const uint8_t *pixels, size_t stride) {
    const size_t width = s->shape.width;
    if (s->is_inverted)
        ee_invert(pixels, stride, s->shape.width, s->shape.height, s->sampled);
    else
        for (size_t y = 0; y < s->shape.height; y++)
            memcpy(s->sampled + y * width, pixels + y * stride, width);
    s->sample = (ee_sample){0};
    begin_stage(s, 0);
    s->has_widest_fan = s->sample.regions[0].has_fan;
    s->widest_fan = s->sample.regions[0].fan;
}

/* Make a part of a look's picture black. */
static void cut_hole(ee_view_search *s, const ee_look *look) {
    const int64_t size = s->scorer->size;
    const ee_roi *roi = &look->roi, *hole = &look->hole;
    const int64_t y0 = ee_floor_div((hole->y - roi->y) * size, roi->height);
    const int64_t y1 = ee_floor_div((hole->y + hole->height - roi->y) * size, roi->height);
    const int64_t x0 = ee_floor_div((hole->x - roi->x) * size, roi->width);
    const int64_t x1 = ee_floor_div((hole->x + hole->width - roi->x) * size, roi->width);
    for (int64_t y = y0 > 0 ? y0 : 0; y < y1 && y < size; y++)
        for (int64_t x = x0 > 0 ? x0 : 0; x < x1 && x < size; x++)
            s->picture[y * size + x] = 0;
}

/* Run the network on a region of the sampled frame. */
static edgeecho_status look_at(ee_view_search *s) {
    ee_sample *sample = &s->sample;
    const ee_look *look = &sample->look;
    const uint32_t size = s->scorer->size, flip = look->flip;
    if (!ee_is_in_proportion(&look->roi, s->shape.width, s->shape.height))
        return EDGEECHO_E_REGION;
    ee_fill_axes_in(&s->axes, &look->roi, size, s->shape.width, s->shape.height);
    ee_resample(&s->axes.rows, &s->axes.columns, s->sampled, s->shape.width, s->sums, s->shape.width, s->picture);
    if (look->has_hole)
        cut_hole(s, look);
    ee_flip(s->picture, size, flip, s->looks.frame);
    const edgeecho_status status = ee_frame_stream_look(&s->looks);
    if (status != EDGEECHO_OK)
        return status;
    ee_unflip(s->looks.prob, size, flip, s->picture);
    sample->score = ee_score(s->scorer, s->picture, NULL);
    sample->waits = 1;
    return EDGEECHO_MORE;
}

edgeecho_status ee_view_search_step(ee_view_search *s) {
    ee_sample *sample = &s->sample;
    if (sample->waits)
        EE_STAGES[sample->stage].take(s, &sample->score);
    sample->waits = 0;
    for (;;) {
        if (EE_STAGES[sample->stage].next(s, &sample->look))
            return look_at(s);
        if (sample->stage + 1 == EE_STAGE_COUNT)
            return EDGEECHO_OK;
        begin_stage(s, sample->stage + 1);
    }
}

/* Gain of the orientation in place `rank` of the first one and of those that were looked at, from the best on; of equal
 * ones the first is before. */
static double ranked_gain(const ee_view_search *s, uint32_t rank, uint32_t *flip, uint32_t *count) {
    uint32_t flips[EE_FLIPS + 1] = {s->region.flips[0]};
    double gains[EE_FLIPS + 1] = {0};
    *count = 1;
    for (uint32_t f = 0; f < EE_FLIPS; f++) {
        if (!s->gain_looks[f])
            continue;
        const double gain = s->gains[f] / s->gain_looks[f];
        uint32_t at = (*count)++;
        for (; at > 0 && gains[at - 1] < gain; at--)
            gains[at] = gains[at - 1], flips[at] = flips[at - 1];
        gains[at] = gain, flips[at] = f;
    }
    rank = rank < *count ? rank : *count - 1;
    *flip = flips[rank];
    return gains[rank];
}

ee_view ee_view_search_view(const ee_view_search *s) {
    static const struct {
        uint32_t samples;
        double margin;
    } clear[] = EE_CLEAR_MARGINS;
    uint32_t count, best, rival;
    const double gain = ranked_gain(s, 0, &best, &count), other = ranked_gain(s, 1, &rival, &count);
    const double margin = count > 1 ? gain - other : 1,
                 confidence = s->confidence / (s->samples ? s->samples : 1) + gain;
    int is_clear = 0;
    for (int i = 0; i < EE_CLEAR_MARGINS_COUNT; i++)
        is_clear |= s->samples >= clear[i].samples && margin >= clear[i].margin;
    if ((best != s->region.flips[0] || s->is_inverted) && confidence < EE_MIN_TURNED_CONFIDENCE)
        is_clear = 0;
    return (ee_view){
        .roi = s->has_refined ? s->refined : s->region.roi,
        .flip = best,
        .is_inverted = s->is_inverted,
        .has_fan = s->region.has_fan && !s->has_refined && s->has_widest_fan,
        .fan = s->widest_fan,
        .confidence = confidence,
        .rival = rival,
        .is_clear = is_clear,
        .shows_apex = s->region.has_apex || !s->searches_orientation,
        .panels = s->panels,
    };
}
