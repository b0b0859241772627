#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t NS_PER_S = 1000000000;

uint64_t ee_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Return the next piece of a block; without a block only count its bytes. */
static void *take(uint8_t *block, size_t *at, size_t bytes) {
    void *piece = block ? block + *at : NULL;
    *at += ee_aligned(bytes);
    return piece;
}

static void take_axis(ee_axis *axis, uint8_t *block, size_t *at, uint32_t inputs, uint32_t outputs) {
    axis->taps = take(block, at, outputs * sizeof *axis->taps);
    axis->weights = take(block, at, ee_axis_capacity(inputs, outputs) * sizeof *axis->weights);
}

/* Lay out a stream in a block and return the number of bytes that it needs. */
static size_t lay_out(edgeecho_stream *stream, uint8_t *block, const ee_spec *spec, uint32_t width, uint32_t height) {
    size_t at = ee_aligned(sizeof *stream), state_bytes = 0;
    const uint32_t size = spec->size_px;
    for (uint32_t i = 0; i < spec->states; i++)
        state_bytes += ee_aligned(spec->state[i].bytes);
    stream->frame = take(block, &at, (size_t)size * size);
    stream->prob = take(block, &at, (size_t)size * size);
    stream->states[0] = take(block, &at, state_bytes);
    stream->states[1] = take(block, &at, state_bytes);
    stream->mask = take(block, &at, (size_t)width * height);
    stream->sums = take(block, &at, EE_SUM_ROWS * (size_t)(width > size ? width : size) * sizeof *stream->sums);
    take_axis(&stream->rows_in, block, &at, height, size);
    take_axis(&stream->columns_in, block, &at, width, size);
    take_axis(&stream->rows_out, block, &at, size, height);
    take_axis(&stream->columns_out, block, &at, size, width);
    stream->meter_bytes = ee_beat_meter_size(width, height, stream->options.fps);
    stream->meter_memory = take(block, &at, stream->meter_bytes);
    return at;
}

/* Whether the options that the meter does not check are in bounds; it refuses a rate or a spacing out of bounds. */
static int are_options_valid(const edgeecho_stream_options *o) {
    return o && o->struct_size == sizeof *o && o->max_width >= EE_MIN_SIDE && o->max_width <= EE_MAX_SIDE &&
           o->max_height >= EE_MIN_SIDE && o->max_height <= EE_MAX_SIDE;
}

/* Make the meter for frames of this size, for whose largest the stream has room. */
static int set_meter(edgeecho_stream *s, uint32_t width, uint32_t height) {
    const edgeecho_stream_options *o = &s->options;
    s->meter = ee_beat_meter_init(s->meter_memory, s->meter_bytes, width, height, o->fps, o->row_mm, o->column_mm);
    return s->meter != NULL;
}

/* Set the state, the results and the meter to those before the first frame of a cine. */
static void start_cine(edgeecho_stream *s) {
    const ee_spec *spec = &s->model->spec;
    uint8_t *state = s->states[0];
    for (uint32_t i = 0; i < spec->states; i++) {
        const ee_tensor *t = &spec->state[i];
        const float zero = t->zero_point;
        if (t->type == EE_UINT8)
            memset(state, t->zero_point, t->bytes);
        for (size_t at = 0; t->type == EE_FLOAT32 && at < t->bytes; at += sizeof zero)
            memcpy(state + at, &zero, sizeof zero);
        state += ee_aligned(t->bytes);
    }
    s->current_state = 0;
    s->has_frames = s->has_ended = 0;
    s->flushes = spec->after;
    s->results = -(int64_t)spec->after;
    s->area_px = s->beats_completed = 0;
    ee_beat_meter_reset(s->meter);
}

edgeecho_status edgeecho_stream_create(edgeecho_model *model, const edgeecho_stream_options *options,
                                       edgeecho_stream **out) {
    if (!out)
        return EDGEECHO_E_ARGUMENT;
    *out = NULL;
    if (!model || !are_options_valid(options))
        return EDGEECHO_E_ARGUMENT;
    if (atomic_fetch_add(&model->streams, 1) >= EE_MAX_STREAMS) {
        atomic_fetch_sub(&model->streams, 1);
        return EDGEECHO_E_BUSY;
    }
    edgeecho_stream plan = {.model = model, .options = *options};
    const size_t bytes = lay_out(&plan, NULL, &model->spec, options->max_width, options->max_height);
    edgeecho_status status = EDGEECHO_E_MEMORY;
    edgeecho_stream *stream = aligned_alloc(EE_ALIGNMENT, bytes);
    if (stream) {
        memset(stream, 0, bytes); /* every page is there before the first frame */
        lay_out(&plan, (uint8_t *)stream, &model->spec, options->max_width, options->max_height);
        *stream = plan;
        status = set_meter(stream, options->max_width, options->max_height) ? EDGEECHO_OK : EDGEECHO_E_ARGUMENT;
    }
    if (status == EDGEECHO_OK)
        status = ee_binding_create(model->engine, &model->spec, plan.frame, plan.prob, plan.states, &stream->binding);
    if (status != EDGEECHO_OK) {
        free(stream);
        atomic_fetch_sub(&model->streams, 1);
        return status;
    }
    start_cine(stream);
    *out = stream;
    return EDGEECHO_OK;
}

void edgeecho_stream_destroy(edgeecho_stream *stream) {
    if (!stream)
        return;
    ee_binding_destroy(stream->binding);
    atomic_fetch_sub(&stream->model->streams, 1);
    free(stream);
}

edgeecho_status edgeecho_reset(edgeecho_stream *stream) {
    if (!stream)
        return EDGEECHO_E_ARGUMENT;
    start_cine(stream);
    return EDGEECHO_OK;
}

/* Length of the part of a region's axis that lies in the frame. */
static uint32_t overlap(int64_t from, uint32_t length, uint32_t limit) {
    int64_t end = from + length < limit ? from + length : limit;
    from = from > 0 ? from : 0;
    return end > from ? (uint32_t)(end - from) : 0;
}

/* Whether a region is one that edgeecho.preprocess.check_roi and to_network allow. */
static int is_region_valid(const edgeecho_frame *f) {
    const uint64_t longest = (uint64_t)EE_MAX_REGION * (f->width > f->height ? f->width : f->height);
    if (!f->roi_width || !f->roi_height || f->roi_width > longest || f->roi_height > longest)
        return 0;
    const uint64_t columns = overlap(f->roi_x, f->roi_width, f->width);
    const uint64_t rows = overlap(f->roi_y, f->roi_height, f->height);
    const uint64_t region = (uint64_t)f->roi_width * f->roi_height, frame = (uint64_t)f->width * f->height;
    const double least = EE_MIN_OVERLAP_FRACTION * (double)(region < frame ? region : frame); /* exact */
    return columns >= EE_MIN_SIDE && rows >= EE_MIN_SIDE && (double)(columns * rows) >= least;
}

/* Fill in the weights of one axis, from the frame to the network and back. */
static void fill_axes(ee_axis *in, ee_axis *out, uint32_t size, int32_t offset, uint32_t length, uint32_t limit) {
    const uint32_t from = offset < 0 ? (uint32_t)-(int64_t)offset : 0;
    ee_axis_fill(in, length, size, 0, size, offset, limit);
    ee_axis_fill(out, size, length, from, from + overlap(offset, length, limit), 0, size);
}

static edgeecho_status check_frame(const edgeecho_stream *s, const edgeecho_frame *f, int is_first) {
    const edgeecho_frame *o = &s->shape;
    if (f->width < EE_MIN_SIDE || f->height < EE_MIN_SIDE || f->width > s->options.max_width ||
        f->height > s->options.max_height || (!is_first && (f->width != o->width || f->height != o->height)))
        return EDGEECHO_E_SIZE;
    if (f->stride_bytes < f->width || f->stride_bytes > PTRDIFF_MAX / f->height)
        return EDGEECHO_E_ARGUMENT;
    if (is_first)
        return is_region_valid(f) ? EDGEECHO_OK : EDGEECHO_E_REGION;
    return f->roi_x == o->roi_x && f->roi_y == o->roi_y && f->roi_width == o->roi_width &&
                   f->roi_height == o->roi_height
               ? EDGEECHO_OK
               : EDGEECHO_E_REGION;
}

static edgeecho_status run_network(edgeecho_stream *s) {
    const uint64_t begun = ee_now_ns();
    edgeecho_status status = ee_engine_run(s->model->engine, s->binding, s->current_state);
    s->engine_ns += ee_now_ns() - begun;
    s->current_state = !s->current_state;
    return status;
}

/* Run the network's frame once more, and measure its result, if there is one, at the source's pixels. */
static edgeecho_status advance(edgeecho_stream *s) {
    edgeecho_status status = run_network(s);
    if (status != EDGEECHO_OK)
        return status;
    if (++s->results <= 0)
        return EDGEECHO_MORE;
    const edgeecho_frame *f = &s->shape;
    const ee_spec *spec = &s->model->spec;
    const size_t x = f->roi_x > 0 ? (size_t)f->roi_x : 0, y = f->roi_y > 0 ? (size_t)f->roi_y : 0;
    s->area_px = ee_resample_mask(&s->rows_out, &s->columns_out, s->prob, spec->size_px, (uint8_t)spec->threshold,
                                  s->sums, s->mask + y * f->width + x, f->width, &s->drawn);
    const uint32_t left = (uint32_t)x + s->drawn.left, right = (uint32_t)x + s->drawn.right;
    ee_beat_meter_look_within(s->meter, (uint32_t)y + s->drawn.top, (uint32_t)y + s->drawn.bottom, left, right);
    int completed = ee_beat_meter_push(s->meter, s->mask, s->area_px);
    s->beats_completed = completed > 0 ? (uint32_t)completed : 0;
    return EDGEECHO_OK;
}

/* Note the time of a call, and start again after a failed run. */
static edgeecho_status finish_call(edgeecho_stream *s, uint64_t begun, edgeecho_status status) {
    if (status < 0)
        start_cine(s); /* what the state holds after a failed run is unknown */
    s->push_ns = ee_now_ns() - begun;
    return status;
}

edgeecho_status edgeecho_push(edgeecho_stream *s, const edgeecho_frame *given) {
    const uint64_t begun = ee_now_ns();
    if (!s || !given || given->struct_size != sizeof *given || !given->pixels)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_frame f = *given;
    if (!f.roi_width && !f.roi_height)
        f.roi_x = f.roi_y = 0, f.roi_width = f.width, f.roi_height = f.height;
    const int is_first = !s->has_frames || s->has_ended;
    edgeecho_status status = check_frame(s, &f, is_first);
    if (status != EDGEECHO_OK)
        return status;
    s->engine_ns = 0;
    const uint32_t size = s->model->spec.size_px;
    if (is_first) {
        if (!set_meter(s, f.width, f.height))
            return EDGEECHO_E_SIZE;
        start_cine(s);
        s->shape = f;
        s->has_frames = 1;
        fill_axes(&s->rows_in, &s->rows_out, size, f.roi_y, f.roi_height, f.height);
        fill_axes(&s->columns_in, &s->columns_out, size, f.roi_x, f.roi_width, f.width);
        memset(s->mask, 0, (size_t)f.width * f.height);
        s->drawn = (ee_box){0, 0, 0, 0};
    }
    ee_resample(&s->rows_in, &s->columns_in, f.pixels, f.stride_bytes, s->sums, f.width, s->frame);
    for (uint32_t k = 0; is_first && k < s->model->spec.before && status == EDGEECHO_OK; k++)
        status = run_network(s); /* the frames before the first are equal to it */
    return finish_call(s, begun, status == EDGEECHO_OK ? advance(s) : status);
}

edgeecho_status edgeecho_flush(edgeecho_stream *s) {
    const uint64_t begun = ee_now_ns();
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    if (!s->has_frames)
        return EDGEECHO_MORE;
    s->has_ended = 1;
    s->engine_ns = 0;
    edgeecho_status status = EDGEECHO_MORE;
    while (s->flushes && status == EDGEECHO_MORE) {
        s->flushes--;
        status = advance(s);
    }
    if (status == EDGEECHO_MORE)
        s->beats_completed = (uint32_t)ee_beat_meter_finish(s->meter);
    return finish_call(s, begun, status);
}
