#include "answer.h"

#include <math.h>

#include "frame_check.h"
#include "trust/frame_reasons.h"

static int is_out_of(const edgeecho_stream *s, const ee_roi *roi) {
    const ee_roi *out = &s->out_roi;
    return out->x == roi->x && out->y == roi->y && out->width == roi->width && out->height == roi->height;
}

ee_seen ee_seen_in(const ee_view *view) {
    return (ee_seen){view->roi, view->flip, view->is_inverted};
}

/* The pixels of the network's picture that are in the fan of the fixed view; NULL takes all. */
static const uint8_t *inside_of(edgeecho_stream *s) {
    const ee_shape shape = ee_shape_of(s, &s->shape);
    if (!s->live.view.has_fan)
        return NULL;
    if (!s->has_inside)
        ee_view_inside(&s->live.view, &shape, s->live.search->grid.cells, s->scorer.size, s->inside);
    s->has_inside = 1;
    return s->inside;
}

void ee_judge_stream(edgeecho_stream *s) {
    ee_measurement summary;
    ee_beat_meter_summary(s->meter, &summary);
    s->verdict =
        ee_judge_all(ee_beat_meter_history(s->meter), summary.reason, s->live.is_fixed ? &s->live.view : NULL, NULL);
    s->was_fixed = s->live.is_fixed;
}

/* Whether a frame's picture is the same as that of the frame before. */
static int is_frozen(const edgeecho_stream *s, uint64_t frame) {
    return frame && ee_frame_history_motion(&s->history, frame - 1, frame).still;
}

/* Set the time of a frame, for the result and for beats. */
static void set_time(edgeecho_stream *s, uint64_t frame) {
    const ee_frame_time time = ee_frame_clock_at(&s->clock, frame);
    s->time_s = s->clock.has_times ? time.given_s : NAN;
    ee_beat_meter_at(s->meter, &time, s->clock.has_times);
}

void ee_take_answer(edgeecho_stream *s, const uint8_t *prob, const ee_seen *seen, int is_before) {
    if (!is_out_of(s, &seen->roi)) {
        ee_mask_map_set(&s->out, &seen->roi, s->shape.width, s->shape.height);
        s->out_roi = seen->roi;
    }
    ee_unflip(prob, s->scorer.size, seen->flip, s->map);
    const size_t runs = ee_find_mask_runs(&s->out, s->map, ee_beat_meter_runs(s->meter));
    s->area_px = (uint32_t)ee_beat_meter_take_runs(s->meter, runs, s->keeps_pieces);
    s->is_measured = s->live.is_fixed && !is_before;
    set_time(s, s->answers);
    const ee_mask_score score = ee_score(&s->scorer, s->map, s->is_measured ? inside_of(s) : NULL);
    ee_frame_history_score(&s->history, &score);
    s->frame_reasons = ee_frame_reasons(&score, is_frozen(s, s->answers));
    s->answers++;
    s->confidence = ee_confidence(&score);
    s->seen = *seen;
    const int completed = s->keeps_pieces ? 0 : ee_beat_meter_push(s->meter, NULL, s->is_measured ? s->area_px : 0);
    s->beats_completed = completed > 0 ? (uint32_t)completed : 0;
    if (completed || !(s->verdict.reasons | s->verdict.notes) || !s->is_measured || !s->was_fixed)
        ee_judge_stream(s);
}
