/* What a sample looks at, one stage after the other. */
#include "view_search.h"

static int next_region(ee_view_search *s, ee_look *look) {
    ee_sample *sample = &s->sample;
    if (sample->next == sample->region_count)
        return 0;
    const ee_region *region = &sample->regions[sample->next++];
    *look = (ee_look){.roi = region->roi, .flip = region->flips[0]};
    return 1;
}

static void take_region(ee_view_search *s, const ee_mask_score *score) {
    ee_sample *sample = &s->sample;
    const double gain = sample->best.pixels ? EE_MIN_CONFIDENCE_GAIN : 0;
    if (ee_confidence(score) > ee_confidence(&sample->best) + gain) {
        sample->best = *score;
        sample->chosen = sample->next - 1;
    }
    if (ee_confidence(&sample->best) >= EE_CLEAR_CONFIDENCE && !ee_is_cut(&sample->best))
        sample->next = sample->region_count;
}

/* Orientations to compare with the first: those that the fan allows, or all if it shows no apex. */
static void begin_flips(ee_view_search *s) {
    static const uint8_t all[] = {EDGEECHO_FLIP_LR,  EDGEECHO_FLIP_UD,   EDGEECHO_FLIP_LRUD, EDGEECHO_FLIP_CW,
                                  EDGEECHO_FLIP_CCW, EDGEECHO_FLIP_CWLR, EDGEECHO_FLIP_CCWLR};
    ee_sample *sample = &s->sample;
    const ee_region *chosen = &sample->regions[sample->chosen];
    if (ee_overlap(&chosen->roi, &s->region.roi) < EE_MIN_SAME_REGION || chosen->flips[0] != s->region.flips[0])
        ee_forget_samples(s);
    if (!s->samples)
        s->region = *chosen;
    s->samples++;
    s->confidence += ee_confidence(&sample->best);
    sample->first = sample->best;
    sample->flip = chosen->flips[0];
    sample->others = s->region.flips + 1;
    sample->other_count = s->region.flip_count - 1;
    if (!s->region.has_apex && ee_confidence(&sample->first) < EE_CLEAR_CONFIDENCE) {
        sample->others = all;
        sample->other_count = s->searches_orientation ? sizeof all : 0;
    }
}

static int next_flip(ee_view_search *s, ee_look *look) {
    ee_sample *sample = &s->sample;
    if (sample->next == sample->other_count)
        return 0;
    *look = (ee_look){.roi = s->region.roi, .flip = sample->others[sample->next++]};
    return 1;
}

static void take_flip(ee_view_search *s, const ee_mask_score *score) {
    ee_sample *sample = &s->sample;
    const uint32_t flip = sample->look.flip;
    s->gains[flip] = s->gains[flip] + ee_confidence(score) - ee_confidence(&sample->first);
    s->gain_looks[flip]++;
    if (ee_confidence(score) > ee_confidence(&sample->best)) {
        sample->best = *score;
        sample->flip = flip;
    }
}

/* A square around the mask of the region, which is kept if it is more confident. Then another ventricle in the region,
 * without that square. */
static int next_around(ee_view_search *s, ee_look *look) {
    ee_sample *sample = &s->sample;
    const ee_roi *roi = &s->region.roi;
    *look = (ee_look){.flip = sample->flip};
    switch (sample->next++) {
    case 0:
        look->roi = ee_around(s, roi, &sample->best.box);
        return ee_confidence(&sample->best) < EE_CLEAR_CONFIDENCE && s->searches_region && sample->best.pixels;
    case 1:
        look->roi = *roi;
        look->has_hole = 1;
        look->hole = s->refined;
        return sample->is_refined;
    case 2:
        look->roi = ee_around(s, roi, &sample->rest.box);
        return sample->rest.pixels && ee_overlap(&look->roi, &s->refined) < EE_MAX_PANEL_OVERLAP;
    default: return 0;
    }
}

static void take_around(ee_view_search *s, const ee_mask_score *score) {
    ee_sample *sample = &s->sample;
    if (sample->next == 1 && ee_confidence(score) > ee_confidence(&sample->best) + EE_MIN_CONFIDENCE_GAIN) {
        s->refined = sample->look.roi;
        s->has_refined = sample->is_refined = 1;
    } else if (sample->next == 2) {
        sample->rest = *score;
    } else if (sample->next == 3 && ee_confidence(score) >= EE_MIN_LIKELY_CONFIDENCE) {
        s->panels = 1;
    }
}

/* The fans that were found with that of the region; if it has none, the first that are several. */
static const ee_fans *find_beside(const ee_view_search *s) {
    const ee_box *own = &s->region.fan.box;
    for (uint32_t i = 0; i < s->finder.levels; i++) {
        const ee_fans *fans = &s->finder.at[i];
        const ee_box *box = &fans->boxes[0];
        const int is_own =
            box->top == own->top && box->bottom == own->bottom && box->left == own->left && box->right == own->right;
        if (fans->count > 1 && (is_own || !s->region.has_fan))
            return fans;
    }
    return NULL;
}

/* Other fans of the screen. */
static void begin_panels(ee_view_search *s) {
    ee_sample *sample = &s->sample;
    sample->tried_count = 0;
    sample->beside = NULL;
    if (s->samples != 1 || !s->searches_region)
        return;
    if (s->has_refined || s->region.has_fan)
        sample->tried[sample->tried_count++] = s->has_refined ? s->refined : s->region.roi;
    if (sample->best.pixels)
        sample->tried[sample->tried_count++] = ee_around(s, &s->region.roi, &sample->best.box);
    sample->most_tried = sample->tried_count + EE_MAX_PANELS;
    ee_find_fans(&s->finder, s->grid.brightest, s->grid.darkest, s->grid.cells);
    sample->beside = find_beside(s);
}

static int next_panel(ee_view_search *s, ee_look *look) {
    ee_sample *sample = &s->sample;
    while (sample->beside && sample->next < sample->beside->count) {
        const ee_roi roi = ee_fan_region(&sample->beside->boxes[sample->next++], s->grid.cells, &s->shape);
        int is_new = sample->tried_count < sample->most_tried;
        for (uint32_t i = 0; i < sample->tried_count; i++)
            is_new &= ee_overlap(&roi, &sample->tried[i]) < EE_MAX_PANEL_OVERLAP;
        if (!is_new)
            continue;
        sample->tried[sample->tried_count++] = roi;
        *look = (ee_look){.roi = roi, .flip = s->region.flips[0]};
        return 1;
    }
    return 0;
}

static void take_panel(ee_view_search *s, const ee_mask_score *score) {
    s->panels += ee_confidence(score) >= EE_MIN_LIKELY_CONFIDENCE;
}

static int next_inverted(ee_view_search *s, ee_look *look) {
    ee_sample *sample = &s->sample;
    const int is_clear = ee_confidence(&sample->best) >= EE_CLEAR_CONFIDENCE;
    if (sample->next++ || is_clear || !s->searches_orientation || s->is_inverted || !ee_grid_is_bright(&s->grid))
        return 0;
    ee_invert(s->sampled, s->shape.width, s->shape.width, s->shape.height, s->sampled);
    *look = (ee_look){.roi = s->region.roi, .flip = sample->regions[sample->chosen].flips[0]};
    return 1;
}

/* Begin again with inverted grey levels if they are better. */
static void take_inverted(ee_view_search *s, const ee_mask_score *score) {
    const double gained = ee_confidence(&s->sample.best) + EE_MIN_INVERTED_GAIN;
    const double least = EE_MIN_LIKELY_CONFIDENCE > gained ? EE_MIN_LIKELY_CONFIDENCE : gained;
    if (ee_confidence(score) < least)
        return;
    s->is_inverted = 1;
    ee_grid_invert(&s->grid);
    ee_forget_samples(s);
}

const ee_stage EE_STAGES[EE_STAGE_COUNT] = {
    {ee_find_candidates, next_region, take_region},
    {begin_flips, next_flip, take_flip},
    {NULL, next_around, take_around},
    {begin_panels, next_panel, take_panel},
    {NULL, next_inverted, take_inverted},
};
