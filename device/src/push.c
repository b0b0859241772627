/* The way of a frame to the network, and when its answer is due: Python's `streaming.py`. */
#include <string.h>

#include "answer.h"
#include "frame_check.h"
#include "os.h"
#include "struct_size.h"

static void set_in(edgeecho_stream *s) {
    ee_fill_axes_in(&s->in, &s->live.view.roi, s->scorer.size, s->shape.width, s->shape.height);
}

/* Begin a cine with its first frame. */
static void begin(edgeecho_stream *s, const edgeecho_frame *f) {
    ee_set_meter(s, f->width, f->height);
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
}

static void answer_now(edgeecho_stream *s) {
    const ee_seen seen = ee_seen_in(&s->live.view);
    ee_take_answer(s, s->network.prob, &seen, 0);
}

/* Answer a frame that was seen in a view before, if one is due. */
static int answer_due(edgeecho_stream *s) {
    const uint32_t at = s->due_first, room = s->model->spec.after + 1;
    if (!s->due_count)
        return 0;
    s->due_first = (at + 1) % room;
    s->due_count--;
    ee_take_answer(s, s->due + (size_t)at * s->scorer.size * s->scorer.size, &s->due_views[at], 1);
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
        const ee_seen before = ee_seen_in(&s->live.view);
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
    if (status < 0) {
        if (status == EDGEECHO_E_REGION)
            ee_set_error(s->error, "the search found a region that is more than %d times the frame", EE_MAX_REGION);
        ee_log_error(&s->model->log, s->error);
        ee_start_cine(s); /* what the state holds after a failed run is unknown */
    }
    s->push_ns = ee_now_ns() - begun;
    return status;
}

/* Read a frame, as many fields as the program knows, and fill in its region. */
static edgeecho_status read_frame(const edgeecho_stream *s, const edgeecho_frame *given, edgeecho_frame *f) {
    *f = (edgeecho_frame){.struct_size = sizeof *f};
    if (!given || !ee_is_size_known(given->struct_size, EE_FIRST_FRAME, sizeof *f))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, EE_UNKNOWN_SIZE, "frame", given ? given->struct_size : 0,
                         EE_FIRST_FRAME, sizeof *f);
    ee_copy_out(f, given->struct_size, given);
    if (!f->pixels)
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "pixels of the frame are NULL");
    if (ee_searches_region(s) && (f->roi_x || f->roi_y || f->roi_width || f->roi_height))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "the frame gives a region, and the stream searches it: leave it 0");
    if (!f->roi_width && !f->roi_height)
        f->roi_x = f->roi_y = 0, f->roi_width = f->width, f->roi_height = f->height;
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_push(edgeecho_stream *s, const edgeecho_frame *given) {
    const uint64_t begun = ee_now_ns();
    edgeecho_frame f;
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    const int is_first = !s->has_frames || s->has_ended;
    edgeecho_status status = read_frame(s, given, &f);
    if (status == EDGEECHO_OK)
        status = ee_check_frame(s, &f, is_first);
    if (status != EDGEECHO_OK)
        return status;
    if (is_first)
        begin(s, &f);
    ee_frame_clock_add(&s->clock, f.time_s);
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
        ee_judge_stream(s);
    }
    return finish_call(s, begun, status);
}
