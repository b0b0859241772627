/* Regions that the search looks at. */
#include <string.h>

#include "view_search.h"

const uint8_t EE_APEX_FLIPS[EE_RIGHT + 1][2] = {
    [EE_NO_SIDE] = {EDGEECHO_FLIP_NONE, EDGEECHO_FLIP_LR}, [EE_TOP] = {EDGEECHO_FLIP_NONE, EDGEECHO_FLIP_LR},
    [EE_BOTTOM] = {EDGEECHO_FLIP_LRUD, EDGEECHO_FLIP_UD},  [EE_LEFT] = {EDGEECHO_FLIP_CW, EDGEECHO_FLIP_CWLR},
    [EE_RIGHT] = {EDGEECHO_FLIP_CCW, EDGEECHO_FLIP_CCWLR},
};

/* Set the orientations of a region whose fan has its apex on a side. */
static void set_flips(const ee_view_search *s, ee_region *region, ee_side side) {
    region->flips = s->searches_orientation ? EE_APEX_FLIPS[side] : &s->given_flip;
    region->flip_count = s->searches_orientation ? sizeof EE_APEX_FLIPS[side] : 1;
    region->has_apex = side != EE_NO_SIDE;
}

static ee_region around_fan(const ee_view_search *s, const ee_fan *fan) {
    ee_region region = {.roi = ee_fan_region(&fan->box, s->grid.cells, &s->shape), .has_fan = 1, .fan = *fan};
    ee_hull hull;
    ee_hull_of(fan, s->grid.cells, &hull);
    set_flips(s, &region, ee_apex_side(&hull));
    return region;
}

void ee_find_candidates(ee_view_search *s) {
    ee_sample *sample = &s->sample;
    ee_region whole = {.roi = s->given_roi};
    sample->region_count = 0;
    set_flips(s, &whole, EE_NO_SIDE);
    if (!s->searches_region) {
        ee_find_fans(&s->finder, s->grid.brightest, s->grid.darkest, s->grid.cells);
        if (ee_grid_is_lit(&s->grid) && s->finder.levels) {
            const ee_region fan = around_fan(s, &s->finder.at[0].largest);
            whole.flips = fan.flips;
            whole.flip_count = fan.flip_count;
            whole.has_apex = fan.has_apex;
        }
        sample->regions[sample->region_count++] = whole;
        return;
    }
    ee_roi found[EE_LEVELS_COUNT + 1]; /* those too that are left out */
    ee_find_fans(&s->finder, s->grid.brightest, s->grid.darkest, s->grid.cells);
    for (uint32_t i = 0; i <= s->finder.levels; i++) {
        const int is_last = i == s->finder.levels;
        ee_region region = is_last ? whole : around_fan(s, &s->finder.at[i].largest);
        int is_new = 1;
        if (i == 0) {
            whole.roi = ee_whole_frame(&s->shape);
            whole.flips = region.flips;
            whole.flip_count = region.flip_count;
            whole.has_apex = region.has_apex;
            region = is_last ? whole : region;
        }
        found[i] = region.roi;
        for (uint32_t k = 0; k < i; k++)
            is_new &= ee_overlap(&region.roi, &found[k]) < EE_MIN_SAME_REGION;
        if (is_new)
            sample->regions[sample->region_count++] = region;
    }
}

ee_roi ee_around(const ee_view_search *s, const ee_roi *roi, const ee_box *box) {
    const int64_t size = s->scorer->size, high = box->bottom - box->top, wide = box->right - box->left;
    const int64_t side = high > wide ? high : wide, scale = size * EE_AROUND_FACTOR_1;
    const int64_t height = side * roi->height * EE_AROUND_FACTOR_0 / scale;
    const int64_t width = side * roi->width * EE_AROUND_FACTOR_0 / scale;
    ee_roi around = {.width = width > 1 ? width : 1, .height = height > 1 ? height : 1};
    around.y = roi->y + (int64_t)(box->top + box->bottom) * roi->height / (2 * size) - around.height / 2;
    around.x = roi->x + (int64_t)(box->left + box->right) * roi->width / (2 * size) - around.width / 2;
    return around;
}
