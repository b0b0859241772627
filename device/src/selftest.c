#include "selftest.h"

#include <stdlib.h>
#include <string.h>

#include "os.h"
#include "sha256.h"
#include "stream.h"
#include "struct_size.h"

/* Region of interest in the test cine, the smallest square that contains the sector; frames of a beat; radius of the
 * sector in pixels. */
enum { REGION_X = 0, REGION_Y = -8, REGION_SIDE = 160, PERIOD = 6, RADIUS = 146 };

static uint32_t speckle(uint32_t x, uint32_t y) {
    uint32_t h = x / 2 * 374761393u + y / 2 * 668265263u;
    h = (h ^ h >> 13) * 1274126177u;
    return (h ^ h >> 16) & 255;
}

/* Whether (dx, dy), from the centre, lies in an ellipse with half axes a and b. */
static int in_ellipse(int32_t dx, int32_t dy, int32_t a, int32_t b) {
    return dx * dx * b * b + dy * dy * a * a < a * a * b * b;
}

/* The numbers below are those of the formula in docs/model-file.md. */
void ee_test_frame(uint32_t t, uint8_t *pixels) {
    static const uint8_t half_widths[PERIOD] = {26, 25, 23, 21, 22, 25};
    static const uint8_t half_heights[PERIOD] = {44, 43, 40, 38, 39, 43};
    const int32_t a = half_widths[t % PERIOD], b = half_heights[t % PERIOD];
    for (int32_t y = 0; y < EE_TEST_HEIGHT; y++)
        for (int32_t x = 0; x < EE_TEST_WIDTH; x++) {
            const uint32_t r = speckle((uint32_t)x, (uint32_t)y);
            const int32_t dx = x - 80, dy = y + 6;
            uint32_t grey = 50 + r * 90 / 256;
            if (dx * dx + dy * dy >= RADIUS * RADIUS || 5 * abs(dx) >= 4 * dy + 10)
                grey = 0; /* outside the sector */
            else if (in_ellipse(x - 88, y - 64, a, b) || in_ellipse(x - 90, y - 124, 24, 20) ||
                     in_ellipse(x - 52, y - 76, 12, 30))
                grey = 14 + r * 30 / 256; /* left ventricle, left atrium, right ventricle */
            else if (in_ellipse(x - 88, y - 62, a + 11, b + 12))
                grey = 90 + r * 130 / 256; /* wall */
            pixels[y * EE_TEST_WIDTH + x] = (uint8_t)grey;
        }
}

static int has_digest(const uint8_t *bytes, size_t size, const uint8_t wanted[32]) {
    uint8_t digest[32];
    ee_sha256 sha;
    ee_sha256_begin(&sha);
    ee_sha256_add(&sha, bytes, size);
    ee_sha256_end(&sha, digest);
    return memcmp(digest, wanted, sizeof digest) == 0;
}

static uint32_t largest_difference(const uint8_t *a, const uint8_t *b, size_t size) {
    int largest = 0;
    for (size_t i = 0; i < size; i++) {
        const int difference = abs(a[i] - b[i]);
        largest = difference > largest ? difference : largest;
    }
    return (uint32_t)largest;
}

enum { FRAME_BYTES = EE_TEST_WIDTH * EE_TEST_HEIGHT };

/* Compare the stream's newest answer with the one in the device file. `mask` has room for one. */
static void compare_answer(const edgeecho_stream *s, uint8_t *mask, edgeecho_selftest_result *result) {
    const ee_selftest *test = &s->model->spec.selftest;
    const uint32_t t = (uint32_t)(s->answers - 1);
    const ee_answer *wanted = &test->answers[t];
    const size_t values = (size_t)s->model->spec.size_px * s->model->spec.size_px;
    const uint32_t off = s->area_px > wanted->area_px ? s->area_px - wanted->area_px : wanted->area_px - s->area_px;
    uint32_t levels = 0;
    int differs;
    if (test->reference) {
        levels = largest_difference(s->network.prob, test->reference + t * values, values);
        differs = levels > test->max_levels;
    } else {
        const ee_runs runs = ee_beat_meter_newest(s->meter);
        const int is_equal = has_digest(s->network.prob, values, wanted->prob);
        levels = is_equal ? 0 : UINT32_MAX;
        ee_draw_mask(&runs, EE_TEST_WIDTH, EE_TEST_HEIGHT, mask, EE_TEST_WIDTH);
        differs = !is_equal || off || !has_digest(mask, FRAME_BYTES, wanted->mask);
    }
    if (differs && !result->frames_different++)
        result->first_different = t;
    result->levels = levels > result->levels ? levels : result->levels;
    result->area_difference_px = off > result->area_difference_px ? off : result->area_difference_px;
}

/* Run the test cine as a whole cine and compare every answer.  `pixels` has room for a frame and for a mask. */
static edgeecho_status run_cine(edgeecho_stream *s, uint8_t *pixels, edgeecho_selftest_result *result) {
    const edgeecho_frame frame = {.struct_size = sizeof frame,
                                  .pixels = pixels,
                                  .stride_bytes = EE_TEST_WIDTH,
                                  .width = EE_TEST_WIDTH,
                                  .height = EE_TEST_HEIGHT,
                                  .roi_x = REGION_X,
                                  .roi_y = REGION_Y,
                                  .roi_width = REGION_SIDE,
                                  .roi_height = REGION_SIDE};
    edgeecho_status status = EDGEECHO_OK;
    for (uint32_t t = 0; t < result->frames; t++) {
        ee_test_frame(t, pixels);
        status = edgeecho_push(s, &frame);
        if (status < 0)
            return status;
        if (status == EDGEECHO_OK)
            compare_answer(s, pixels + FRAME_BYTES, result);
    }
    while ((status = edgeecho_flush(s)) == EDGEECHO_OK)
        compare_answer(s, pixels + FRAME_BYTES, result);
    return status < 0 ? status : result->frames_different ? EDGEECHO_E_SELFTEST : EDGEECHO_OK;
}

/* Make a stream, run the test cine in it, and fill in the result. */
static edgeecho_status run_selftest(edgeecho_model *model, edgeecho_selftest_result *result, ee_error *error) {
    const ee_selftest *test = &model->spec.selftest;
    const edgeecho_stream_options options = {
        .struct_size = sizeof options, .max_width = EE_TEST_WIDTH, .max_height = EE_TEST_HEIGHT};
    edgeecho_stream *stream = NULL;
    uint8_t *pixels = malloc(2 * FRAME_BYTES);
    ee_set_error(error, "out of memory for a self-test");
    edgeecho_status status = pixels ? edgeecho_stream_create(model, &options, &stream) : EDGEECHO_E_MEMORY;
    result->frames = result->first_different = test->frames;
    result->max_levels = test->max_levels;
    if (status == EDGEECHO_OK) {
        stream->keeps_pieces = 1; /* the file has the digests of whole masks */
        status = run_cine(stream, pixels, result);
        *error = *stream->error;
    } else if (pixels) {
        edgeecho_model_error(model, error->text, sizeof error->text);
    }
    if (status == EDGEECHO_E_SELFTEST)
        ee_set_error(error, "%u of %u frames of the self-test differ from the device file, the first is frame %u",
                     (unsigned)result->frames_different, (unsigned)result->frames, (unsigned)result->first_different);
    edgeecho_stream_destroy(stream);
    free(pixels);
    return status;
}

edgeecho_status edgeecho_selftest(edgeecho_model *model, edgeecho_selftest_result *result) {
    const uint64_t begun = ee_now_ns();
    ee_error error;
    if (!model)
        return EDGEECHO_E_ARGUMENT;
    if (!result || !ee_is_size_known(result->struct_size, EE_FIRST_SELFTEST_RESULT, sizeof *result)) {
        ee_set_error(&error, "no result of the self-test (NULL), or its struct_size is not known");
        return ee_refuse_model(model, EDGEECHO_E_ARGUMENT, &error);
    }
    edgeecho_selftest_result found = {0};
    const edgeecho_status status = model->spec.selftest.frames ? run_selftest(model, &found, &error) : EDGEECHO_MORE;
    found.elapsed_ns = ee_now_ns() - begun;
    if (status != EDGEECHO_OK && status != EDGEECHO_E_SELFTEST)
        found = (edgeecho_selftest_result){0};
    ee_copy_out(result, result->struct_size, &found);
    return status < 0 ? ee_refuse_model(model, status, &error) : status;
}
