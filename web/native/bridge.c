/*
 * The library as JavaScript calls it: numbers and pointers in, JSON out.
 *
 * Functions that may run the network return a promise in JavaScript.  A status below 0 has its sentence in `ew_error`.
 */
#include <emscripten.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "json.h"
#include "whole_cine.h"

static char failure[EE_ERROR_BYTES];
static ew_search search;
static ew_colours colours; /* of the cine that was decoded last */

static edgeecho_status note(const edgeecho_stream *stream, edgeecho_status status) {
    if (status < 0)
        strcpy(failure, *edgeecho_stream_error(stream) ? edgeecho_stream_error(stream) : edgeecho_status_text(status));
    return status;
}

/* Sentence of the last call that failed. */
EMSCRIPTEN_KEEPALIVE const char *ew_error(void) {
    return failure;
}

/* Open a device file; NULL if it is refused. */
EMSCRIPTEN_KEEPALIVE edgeecho_model *ew_open(const uint8_t *bytes, size_t size) {
    const edgeecho_open_options options = {
        .struct_size = sizeof options, .threads = 1, .error = failure, .error_size = sizeof failure};
    edgeecho_model *model = NULL;
    edgeecho_open_memory(bytes, size, &options, &model);
    return model;
}

EMSCRIPTEN_KEEPALIVE void ew_close(edgeecho_model *model) {
    edgeecho_close(model);
}

EMSCRIPTEN_KEEPALIVE const char *ew_describe(const edgeecho_model *model) {
    return ew_model_json(model);
}

/* Run the self-test: OK, MORE without one, or an error. */
EMSCRIPTEN_KEEPALIVE edgeecho_status ew_selftest(edgeecho_model *model) {
    edgeecho_selftest_result result = {.struct_size = sizeof result};
    const edgeecho_status status = edgeecho_selftest(model, &result);
    if (status < 0)
        strcpy(failure, edgeecho_status_text(status));
    return status;
}

/* Make a stream that searches region and orientation; NULL if it is refused. */
EMSCRIPTEN_KEEPALIVE edgeecho_stream *ew_stream(edgeecho_model *model, uint32_t width, uint32_t height, double fps,
                                                double spacing_mm) {
    const edgeecho_stream_options options = {
        .struct_size = sizeof options,
        .max_width = width,
        .max_height = height,
        .fps = fps,
        .row_mm = spacing_mm,
        .column_mm = spacing_mm,
        .search = EDGEECHO_SEARCH_REGION | EDGEECHO_SEARCH_ORIENTATION,
    };
    edgeecho_stream *stream = NULL;
    const edgeecho_status status = edgeecho_stream_create(model, &options, &stream);
    if (status != EDGEECHO_OK && edgeecho_model_error(model, failure, sizeof failure) == EDGEECHO_OK && !*failure)
        strcpy(failure, edgeecho_status_text(status));
    return stream;
}

EMSCRIPTEN_KEEPALIVE void ew_destroy(edgeecho_stream *stream) {
    edgeecho_stream_destroy(stream);
}

/* Search the view of a whole cine: see whole_cine.h. */
EMSCRIPTEN_KEEPALIVE edgeecho_status ew_cine_begin(edgeecho_stream *stream, uint32_t width, uint32_t height,
                                                   uint32_t frames) {
    return note(stream, ew_search_begin(&search, stream, width, height, frames));
}

EMSCRIPTEN_KEEPALIVE uint32_t ew_cine_next_added(void) {
    return ew_next_added(&search);
}

EMSCRIPTEN_KEEPALIVE void ew_cine_add(const uint8_t *pixels) {
    ew_add(&search, pixels);
}

EMSCRIPTEN_KEEPALIVE uint32_t ew_cine_next_sampled(void) {
    return ew_next_sampled(&search);
}

EMSCRIPTEN_KEEPALIVE edgeecho_status ew_cine_sample(const uint8_t *pixels) {
    return note(search.stream, ew_sample(&search, pixels));
}

EMSCRIPTEN_KEEPALIVE int ew_cine_end(void) {
    return ew_search_end(&search);
}

EMSCRIPTEN_KEEPALIVE void ew_cine_rival(edgeecho_stream *other, const edgeecho_stream *first) {
    ew_take_rival(other, first);
}

/* The better one of the two streams; `other` may be NULL. */
EMSCRIPTEN_KEEPALIVE edgeecho_stream *ew_cine_best(edgeecho_stream *first, edgeecho_stream *other) {
    return ew_best(first, other);
}

/* `ever`: 1 where any mask of the best stream has cavity. */
EMSCRIPTEN_KEEPALIVE void ew_cine_judge(edgeecho_stream *first, edgeecho_stream *other, const uint8_t *ever) {
    ew_judge_cine(first, other, ew_covered(&colours, ever));
}

/* Push a grey frame without gaps between its rows. */
EMSCRIPTEN_KEEPALIVE edgeecho_status ew_push(edgeecho_stream *stream, const uint8_t *pixels, uint32_t width,
                                             uint32_t height, double time_s) {
    const edgeecho_frame frame = {
        .struct_size = sizeof frame,
        .pixels = pixels,
        .stride_bytes = width,
        .width = width,
        .height = height,
        .time_s = time_s,
    };
    return note(stream, edgeecho_push(stream, &frame));
}

EMSCRIPTEN_KEEPALIVE edgeecho_status ew_flush(edgeecho_stream *stream) {
    return note(stream, edgeecho_flush(stream));
}

EMSCRIPTEN_KEEPALIVE const char *ew_result(const edgeecho_stream *stream) {
    return ew_result_json(stream);
}

/* JSON of a beat; NULL if there is none of this index any more. */
EMSCRIPTEN_KEEPALIVE const char *ew_beat(const edgeecho_stream *stream, uint32_t index) {
    return ew_beat_json(stream, index);
}

EMSCRIPTEN_KEEPALIVE edgeecho_status ew_mask(const edgeecho_stream *stream, uint8_t *mask, uint32_t width,
                                             uint32_t height) {
    return note(stream, edgeecho_mask(stream, mask, (size_t)width * height, width));
}

/* Number of points of the outline, x and y of each; -1 if there is room for fewer. */
EMSCRIPTEN_KEEPALIVE int ew_outline(const edgeecho_stream *stream, edgeecho_point *points, uint32_t capacity) {
    size_t count = 0;
    return edgeecho_contour(stream, points, capacity, &count) == EDGEECHO_OK ? (int)count : -1;
}

/* Turn pixels of a canvas into grey ones. With `is_sampled` they are a frame of the cine that is searched for colour; 0
 * if there is no memory for it. */
EMSCRIPTEN_KEEPALIVE int ew_grey(const uint8_t *rgba, uint8_t *grey, size_t pixels, int is_sampled) {
    ew_to_grey(rgba, pixels, grey);
    return !is_sampled || ew_colours_add(&colours, rgba);
}

EMSCRIPTEN_KEEPALIVE void ew_colour_begin(size_t pixels) {
    ew_colours_reset(&colours, pixels);
}
