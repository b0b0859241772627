#include "live_view.h"

#include <math.h>

#include "../measure/constants.h"

/* Frames in some time, at least one. */
static int64_t frames_in(const ee_live_view *live, double seconds) {
    const int64_t frames = (int64_t)nearbyint((live->fps > 0 ? live->fps : EE_ASSUMED_FPS) * seconds);
    return frames > 1 ? frames : 1;
}

void ee_live_view_init(ee_live_view *live, const ee_view *view, double fps) {
    if (!live->is_found)
        live->view = *view;
    live->is_fixed = live->is_found || !live->search;
    live->is_found = 0;
    live->is_sampling = 0;
    live->fps = fps;
    live->wait_frames = 1;
    live->samples = 0;
    if (live->search && !live->is_fixed)
        ee_view_search_init(live->search);
}

/* Take the view of the sample that has ended, and fix it or plan the next sample. */
static edgeecho_status decide(ee_live_view *live) {
    ee_view view = ee_view_search_view(live->search);
    const ee_view *before = &live->view;
    const uint32_t samples = live->search->samples;
    const int is_likely = view.confidence >= EE_MIN_VIEW_CONFIDENCE;
    const int is_sure = view.is_clear && samples >= EE_MIN_LIVE_SAMPLES;
    live->is_fixed = is_likely && (is_sure || samples >= EE_MAX_SAMPLES);
    live->wait_frames = frames_in(live, samples < EE_MAX_SAMPLES ? EE_SAMPLE_INTERVAL_S : EE_RETRY_S);
    if (samples >= EE_MAX_SAMPLES && !live->is_fixed)
        ee_view_search_restart(live->search);
    if (!is_likely)
        return EDGEECHO_MORE;
    if (!view.is_clear && !live->is_fixed) {
        view.flip = before->flip;
        view.is_inverted = before->is_inverted;
    }
    const int is_same = before->flip == view.flip && before->is_inverted == view.is_inverted &&
                        ee_overlap(&before->roi, &view.roi) >= EE_MIN_SAME_REGION;
    if (is_same)
        view.roi = before->roi;
    live->view = view;
    return is_same ? EDGEECHO_MORE : EDGEECHO_OK;
}

edgeecho_status ee_live_view_see(ee_live_view *live, const uint8_t *pixels, size_t stride) {
    ee_view_search *search = live->search;
    if (live->is_fixed)
        return EDGEECHO_MORE;
    if (search->is_inverted) {
        ee_invert(pixels, stride, search->shape.width, search->shape.height, live->inverted);
        ee_view_search_add(search, live->inverted, search->shape.width);
    } else {
        ee_view_search_add(search, pixels, stride);
    }
    if (!live->is_sampling) {
        live->wait_frames--;
        if (live->wait_frames > 0 || !ee_grid_is_lit(&search->grid))
            return EDGEECHO_MORE;
        ee_view_search_sample(search, pixels, stride);
        live->is_sampling = 1;
    }
    edgeecho_status status = ee_view_search_step(search);
    while (status == EDGEECHO_MORE && !live->samples) /* the first frame is sampled at once */
        status = ee_view_search_step(search);
    if (status != EDGEECHO_OK)
        return status;
    live->is_sampling = 0;
    live->samples++;
    return decide(live);
}
