/* The way of a frame: to the network, and from its answer to a mask, figures and a verdict. Python's `streaming.py`. */
#include <string.h>

#include "frame_check.h"
#include "os.h"

/* Set the way from answers to the frame's pixels to that of a region. */
static void set_out(edgeecho_stream *s, const ee_roi *roi) {
    const edgeecho_frame *f = &s->shape;
    ee_fill_axes_out(&s->out, roi, s->scorer.size, f->width, f->height, &s->mask_x, &s->mask_y);
    memset(s->mask, 0, (size_t)f->width * f->height);
    s->drawn = (ee_box){0, 0, 0, 0};
    s->out_roi = *roi;
}

static int is_out_of(const edgeecho_stream *s, const ee_roi *roi) {
    const ee_roi *out = &s->out_roi;
    return out->x == roi->x && out->y == roi->y && out->width == roi->width && out->height == roi->height;
}

static ee_seen seen_in(const ee_view *view) {
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

static void set_in(edgeecho_stream *s) {
    ee_fill_axes_in(&s->in, &s->live.view.roi, s->scorer.size, s->shape.width, s->shape.height);
}

/* Begin a cine with its first frame. */
static edgeecho_status begin(edgeecho_stream *s, const edgeecho_frame *f) {
    if (!ee_set_meter(s, f->width, f->height))
        return EDGEECHO_E_SIZE;
    ee_start_cine(s);
    s->shape = *f;
    s->has_frames = 1;
    const ee_shape shape = ee_shape_of(s, f);
    const ee_roi roi = ee_searches_region(s) ? ee_whole_frame(&shape) : ee_region_of(f);
    const ee_view view = ee_given_view(&roi, s->options.flip);
    if (s->live.search) {
        s->live.search->shape = shape;
        s->live.search->given_roi = roi;
    }
    ee_live_view_init(&s->live, &view, s->options.fps);
    set_in(s);
    s->out_roi = (ee_roi){0, 0, 0, 0};
    s->has_inside = 0;
    return EDGEECHO_OK;
}

/* Judge the beats so far. */
static void judge(edgeecho_stream *s) {
    ee_measurement summary;
    ee_beat_meter_summary(s->meter, &summary);
    s->verdict = ee_judge_all(ee_beat_meter_history(s->meter), summary.reason, s->live.is_fixed ? &s->live.view : NULL);
    s->was_fixed = s->live.is_fixed;
}

/* Measure an answer of the network at the source's pixels. */
static void answer(edgeecho_stream *s, const uint8_t *prob, const ee_seen *seen, int is_before) {
    const edgeecho_frame *f = &s->shape;
    if (!is_out_of(s, &seen->roi))
        set_out(s, &seen->roi);
    if (seen->flip != EDGEECHO_FLIP_NONE) {
        ee_unflip(prob, s->scorer.size, seen->flip, s->map);
        prob = s->map;
    }
    s->area_px = ee_resample_mask(&s->out.rows, &s->out.columns, prob, s->scorer.size, s->scorer.threshold, s->sums,
                                  s->mask + s->mask_y * f->width + s->mask_x, f->width, &s->drawn);
    const uint32_t x = (uint32_t)s->mask_x, y = (uint32_t)s->mask_y;
    ee_beat_meter_look_within(s->meter, y + s->drawn.top, y + s->drawn.bottom, x + s->drawn.left, x + s->drawn.right);
    if (!s->keeps_pieces)
        s->area_px = (uint32_t)ee_beat_meter_keep_largest(s->meter, s->mask);
    s->is_measured = s->live.is_fixed && !is_before;
    const ee_mask_score score = ee_score(&s->scorer, prob, s->is_measured ? inside_of(s) : NULL);
    ee_frame_history_score(&s->history, &score);
    s->answers++;
    s->confidence = ee_confidence(&score);
    s->seen = *seen;
    const int completed = ee_beat_meter_push(s->meter, s->mask, s->is_measured ? s->area_px : 0);
    s->beats_completed = completed > 0 ? (uint32_t)completed : 0;
    if (completed || !(s->verdict.reasons | s->verdict.notes) || !s->is_measured || !s->was_fixed)
        judge(s);
}

static void answer_now(edgeecho_stream *s) {
    const ee_seen seen = seen_in(&s->live.view);
    answer(s, s->network.prob, &seen, 0);
}

/* Answer a frame that was seen in a view before, if one is due. */
static int answer_due(edgeecho_stream *s) {
    const uint32_t at = s->due_first, room = s->model->spec.after + 1;
    if (!s->due_count)
        return 0;
    s->due_first = (at + 1) % room;
    s->due_count--;
    answer(s, s->due + (size_t)at * s->scorer.size * s->scorer.size, &s->due_views[at], 1);
    return 1;
}

static void put_due(edgeecho_stream *s, const ee_seen *seen) {
    const size_t pixels = (size_t)s->scorer.size * s->scorer.size;
    const uint32_t at = (s->due_first + s->due_count++) % (s->model->spec.after + 1);
    memcpy(s->due + at * pixels, s->network.prob, pixels);
    s->due_views[at] = *seen;
}

/* Begin to see frames in another view; the answers to those before stay due. */
static edgeecho_status change_view(edgeecho_stream *s, const ee_seen *before) {
    for (uint32_t k = 0; s->network.has_frames && k < s->model->spec.after; k++) {
        const edgeecho_status status = ee_frame_stream_repeat(&s->network);
        if (status < 0)
            return status;
        if (status == EDGEECHO_OK)
            put_due(s, before);
    }
    ee_frame_stream_reset(&s->network);
    set_in(s);
    return EDGEECHO_OK;
}

/* Show the network the next frame. */
static edgeecho_status see(edgeecho_stream *s, const edgeecho_frame *f) {
    const ee_view *view = &s->live.view;
    const uint8_t *pixels = f->pixels;
    size_t stride = f->stride_bytes;
    uint8_t *picture = view->flip == EDGEECHO_FLIP_NONE ? s->network.frame : s->picture;
    if (view->is_inverted) {
        ee_invert(pixels, stride, f->width, f->height, s->live.inverted);
        pixels = s->live.inverted;
        stride = f->width;
    }
    ee_resample(&s->in.rows, &s->in.columns, pixels, stride, s->sums, f->width, picture);
    ee_frame_history_see(&s->history, picture);
    if (view->flip != EDGEECHO_FLIP_NONE)
        ee_flip(picture, s->scorer.size, view->flip, s->network.frame);
    return ee_frame_stream_push(&s->network);
}

static edgeecho_status advance(edgeecho_stream *s, const edgeecho_frame *f) {
    edgeecho_status status = EDGEECHO_MORE;
    if (!s->live.is_fixed) {
        const ee_seen before = seen_in(&s->live.view);
        status = ee_live_view_see(&s->live, f->pixels, f->stride_bytes);
        if (status == EDGEECHO_OK)
            status = change_view(s, &before);
        if (status < 0)
            return status;
    }
    status = see(s, f); /* there is no new answer while one is due: the network began anew */
    if (status < 0 || answer_due(s))
        return status < 0 ? status : EDGEECHO_OK;
    if (status == EDGEECHO_OK)
        answer_now(s);
    return status;
}

/* Begin to count the time in ONNX Runtime. */
static void start_call(edgeecho_stream *s) {
    s->network.engine_ns = 0;
    if (s->live.search)
        s->live.search->looks.engine_ns = 0;
}

/* Note the time of a call, and start again after a failed run. */
static edgeecho_status finish_call(edgeecho_stream *s, uint64_t begun, edgeecho_status status) {
    if (status < 0)
        ee_start_cine(s); /* what the state holds after a failed run is unknown */
    s->push_ns = ee_now_ns() - begun;
    return status;
}

edgeecho_status edgeecho_push(edgeecho_stream *s, const edgeecho_frame *given) {
    const uint64_t begun = ee_now_ns();
    if (!s || !given || given->struct_size != sizeof *given || !given->pixels)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_frame f = *given;
    if (ee_searches_region(s) && (f.roi_x || f.roi_y || f.roi_width || f.roi_height))
        return EDGEECHO_E_ARGUMENT;
    if (!f.roi_width && !f.roi_height)
        f.roi_x = f.roi_y = 0, f.roi_width = f.width, f.roi_height = f.height;
    const int is_first = !s->has_frames || s->has_ended;
    edgeecho_status status = ee_check_frame(s, &f, is_first);
    if (status == EDGEECHO_OK && is_first)
        status = begin(s, &f);
    if (status != EDGEECHO_OK)
        return status;
    start_call(s);
    return finish_call(s, begun, advance(s, &f));
}

edgeecho_status edgeecho_flush(edgeecho_stream *s) {
    const uint64_t begun = ee_now_ns();
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    if (!s->has_frames)
        return EDGEECHO_MORE;
    s->has_ended = 1;
    start_call(s);
    if (answer_due(s))
        return finish_call(s, begun, EDGEECHO_OK);
    edgeecho_status status = EDGEECHO_MORE;
    while (s->network.has_frames && s->flushes && status == EDGEECHO_MORE) {
        s->flushes--;
        status = ee_frame_stream_repeat(&s->network);
    }
    if (status == EDGEECHO_OK) {
        answer_now(s);
    } else if (status == EDGEECHO_MORE) {
        s->beats_completed = (uint32_t)ee_beat_meter_finish(s->meter);
        judge(s);
    }
    return finish_call(s, begun, status);
}
