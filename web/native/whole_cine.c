#include "whole_cine.h"

#include <math.h>

#include "frame_check.h"

static const uint32_t PLACES[] = EE_CINE_PLACES;

/* Frame at a place, in eighths of the cine. */
static uint32_t frame_at(const ew_search *search, uint32_t place) {
    return (uint32_t)((uint64_t)PLACES[place] * search->frames / EE_CINE_PLACES_COUNT);
}

/* Whether a place has a frame that no place before it has; a short cine has fewer frames than places. */
static int is_new(const ew_search *search, uint32_t place) {
    for (uint32_t before = 0; before < place; before++)
        if (frame_at(search, before) == frame_at(search, place))
            return 0;
    return 1;
}

edgeecho_status ew_search_begin(ew_search *search, edgeecho_stream *stream, uint32_t width, uint32_t height,
                                uint32_t frames) {
    const edgeecho_frame frame = {.struct_size = sizeof frame, .width = width, .height = height};
    ee_view_search *views = stream->live.search;
    if (!views || width > stream->options.max_width || height > stream->options.max_height || !frames)
        return EE_REFUSE(stream, EDGEECHO_E_ARGUMENT, "a search in %u frames of %ux%u: the stream has no room for it",
                         (unsigned)frames, (unsigned)width, (unsigned)height);
    views->shape = ee_shape_of(stream, &frame);
    views->given_roi = ee_whole_frame(&views->shape);
    ee_view_search_init(views);
    *search = (ew_search){.stream = stream, .frames = frames};
    return EDGEECHO_OK;
}

uint32_t ew_next_added(const ew_search *search) {
    return search->added;
}

void ew_add(ew_search *search, const uint8_t *pixels) {
    const uint32_t step = search->frames / EE_CINE_FRAMES;
    ee_view_search *views = search->stream->live.search;
    ee_view_search_add(views, pixels, views->shape.width);
    search->added += step > 1 ? step : 1;
}

uint32_t ew_next_sampled(const ew_search *search) {
    const ee_view_search *views = search->stream->live.search;
    if (search->place && ee_view_search_view(views).is_clear)
        return search->frames;
    return search->place < EE_CINE_PLACES_COUNT ? frame_at(search, search->place) : search->frames;
}

edgeecho_status ew_sample(ew_search *search, const uint8_t *pixels) {
    ee_view_search *views = search->stream->live.search;
    if (!ee_grid_is_lit(&views->grid))
        return EE_REFUSE(search->stream, EDGEECHO_E_REGION, "no ultrasound fan: every pixel is black; check the input");
    ee_view_search_sample(views, pixels, views->shape.width);
    edgeecho_status status = EDGEECHO_MORE;
    while (status == EDGEECHO_MORE)
        status = ee_view_search_step(views);
    do
        search->place++;
    while (search->place < EE_CINE_PLACES_COUNT && !is_new(search, search->place));
    return status;
}

int ew_search_end(ew_search *search) {
    ee_live_view *live = &search->stream->live;
    live->view = ee_view_search_view(live->search);
    live->is_found = 1;
    return live->view.is_clear;
}

void ew_take_rival(edgeecho_stream *other, const edgeecho_stream *first) {
    ee_live_view *live = &other->live;
    live->search->shape = first->live.search->shape;
    live->search->given_roi = first->live.search->given_roi;
    ee_view_search_init(live->search); /* the view needs the cells of its grid */
    live->view = first->live.view;
    live->view.flip = live->view.rival;
    live->is_found = 1;
}

/* Mean probability inside the masks of all frames, 0 to 1. */
static double confidence_of(const edgeecho_stream *s) {
    const ee_frame_history *h = &s->history;
    const ee_frame_sums sums = h->scored ? ee_frame_history_over(h, 0, h->scored - 1) : (ee_frame_sums){0};
    return sums.pixels ? (double)sums.total / (255.0 * (double)sums.pixels) : 0;
}

/* Whether the orientations of an unclear view are possible, and give about the same EF. */
static int flips_agree(const ee_view *view, double a, double b) {
    const int is_mirror = (view->flip == EDGEECHO_FLIP_NONE && view->rival == EDGEECHO_FLIP_LR) ||
                          (view->flip == EDGEECHO_FLIP_LR && view->rival == EDGEECHO_FLIP_NONE);
    return (view->shows_apex || is_mirror) && fabs(a - b) <= EE_MAX_ORIENTATION_DIFFERENCE; /* not of NAN */
}

edgeecho_stream *ew_best(edgeecho_stream *first, edgeecho_stream *other) {
    return other && confidence_of(other) > confidence_of(first) ? other : first;
}

/* The view with what both orientations together show. */
static ee_view view_of_both(const edgeecho_stream *first, const edgeecho_stream *other, const edgeecho_stream *best) {
    ee_view view = first->live.view;
    ee_measurement measured, rival;
    ee_beat_meter_summary(first->meter, &measured);
    ee_beat_meter_summary(other->meter, &rival);
    if (view.shows_apex && fabs(confidence_of(other) - confidence_of(first)) >= EE_MIN_WHOLE_MARGIN) {
        view.flip = best->live.view.flip;
        view.is_clear = 1;
    } else {
        view.flips_agree = flips_agree(&view, measured.ef_percent, rival.ef_percent);
    }
    return view;
}

void ew_judge_cine(edgeecho_stream *first, edgeecho_stream *other, double covered) {
    const uint64_t implausible = (uint64_t)1 << EE_REASON_IMPLAUSIBLE, colour = (uint64_t)1 << EE_REASON_COLOUR_OVERLAY;
    edgeecho_stream *best = ew_best(first, other);
    const ee_view view = other ? view_of_both(first, other, best) : first->live.view;
    ee_measurement measured;
    ee_found others = {0};
    ee_beat_meter_summary(best->meter, &measured);
    if (measured.edv_ml < EE_PLAUSIBLE_EDV_ML_0 || measured.edv_ml > EE_PLAUSIBLE_EDV_ML_1) /* not if it is NAN */
        others.review |= implausible;
    if (covered >= EE_COLOURED_FRACTIONS_1)
        others.withhold |= colour;
    else if (covered >= EE_COLOURED_FRACTIONS_0)
        others.review |= colour;
    best->verdict = ee_judge_all(ee_beat_meter_history(best->meter), measured.reason, &view, &others);
}
