#include "live_view.h"

#include <math.h>

#include "../measure/constants.h"

/* Frames in some time, at least one. */
static int64_t frames_in(const ee_live_view *live, double seconds) {
    const int64_t frames = (int64_t)nearbyint((live->fps > 0 ? live->fps : EE_ASSUMED_FPS) * seconds);
    return frames > 1 ? frames : 1;
}

void ee_live_view_init(ee_live_view *live, const ee_view *view, double fps) {
    live->view = *view;
    live->is_fixed = !live->search;
    live->is_sampling = 0;
    live->fps = fps;
    live->wait_frames = frames_in(live, EE_FIRST_SAMPLE_S);
    if (live->search)
        ee_view_search_init(live->search);
}

/* Fix the view, or plan the next sample. */
static edgeecho_status decide(ee_live_view *live) {
    const ee_view view = ee_view_search_view(live->search);
    const uint32_t samples = live->search->samples;
    if (view.confidence >= EE_MIN_CONFIDENCE && (view.is_clear || samples >= EE_MAX_SAMPLES)) {
        live->view = view;
        live->is_fixed = 1;
        return EDGEECHO_OK;
    }
    live->wait_frames = frames_in(live, samples < EE_MAX_SAMPLES ? EE_SAMPLE_INTERVAL_S : EE_RETRY_S);
    if (samples >= EE_MAX_SAMPLES)
        ee_view_search_restart(live->search);
    return EDGEECHO_MORE;
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
    const edgeecho_status status = ee_view_search_step(search);
    if (status != EDGEECHO_OK)
        return status;
    live->is_sampling = 0;
    return decide(live);
}
