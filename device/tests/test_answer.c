/*
 * What an answer has beside its mask: outline, probability, times of frames, reasons of a frame; and versions.
 *
 *     test_answer STREAM_MODEL
 */
#include <edgeecho.h>
#include <math.h>
#include <string.h>

#include "contour.h"
#include "mask_runs.h"
#include "testing.h"

enum { W = 96, H = 80, FRAMES = 40 };
static uint8_t cine[FRAMES][H * W];

static edgeecho_frame frame_of(uint32_t t, double time_s) {
    return (edgeecho_frame){.struct_size = sizeof(edgeecho_frame),
                            .pixels = cine[t % FRAMES],
                            .stride_bytes = W,
                            .width = W,
                            .height = H,
                            .time_s = time_s};
}

static edgeecho_stream *stream_of(edgeecho_model *model, double fps) {
    edgeecho_stream *stream = NULL;
    edgeecho_stream_options options = {.struct_size = sizeof options, .max_width = W, .max_height = H, .fps = fps};
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    return stream;
}

static int is_set(const uint8_t *mask, uint32_t width, uint32_t height, int64_t x, int64_t y) {
    return x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x];
}

/* The outline of a mask: each point is on its edge and beside the one before, and every pixel that has a neighbour
 * which can be reached from outside is a point. */
static void check_outline(const uint8_t *mask, uint32_t width, uint32_t height, const edgeecho_point *points,
                          size_t count) {
    uint8_t *is_point = calloc(width, height), *outside = calloc(width + 2, height + 2);
    const uint32_t wide = width + 2, high = height + 2;
    CHECK(is_point && outside);
    for (size_t i = 0; i < count; i++) {
        const edgeecho_point p = points[i], next = points[(i + 1) % count];
        CHECK(is_set(mask, width, height, p.x, p.y) && abs(p.x - next.x) <= 1 && abs(p.y - next.y) <= 1);
        is_point[(uint32_t)p.y * width + (uint32_t)p.x] = 1;
    }
    outside[0] = 1;
    for (int grows = 1; grows;) { /* fill from a corner of a frame around the mask */
        grows = 0;
        for (uint32_t y = 0; y < high; y++)
            for (uint32_t x = 0; x < wide; x++) {
                uint8_t *o = &outside[y * wide + x];
                const int is_beside = (x && o[-1]) || (x + 1 < wide && o[1]) || (y && outside[(y - 1) * wide + x]) ||
                                      (y + 1 < high && outside[(y + 1) * wide + x]);
                if (!*o && is_beside && !is_set(mask, width, height, (int64_t)x - 1, (int64_t)y - 1))
                    *o = 1, grows = 1;
            }
    }
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const uint8_t *o = &outside[(y + 1) * wide + x + 1];
            const int is_edge = o[-1] || o[1] || *(o - wide) || *(o + wide);
            CHECK(is_point[y * width + x] == (mask[y * width + x] && is_edge));
        }
    free(is_point), free(outside);
}

/* Outlines of drawn regions, which are thin and have holes. */
static void check_outlines(uint64_t *seed) {
    enum { SIDE = 24 };
    static const uint8_t pixel[SIDE * SIDE] = {[5 * SIDE + 7] = 1};
    ee_run found[SIDE * SIDE / 2];
    uint32_t rows[SIDE + 1];
    edgeecho_point points[4 * SIDE * SIDE];
    for (int k = 0; k < 300; k++) {
        uint8_t mask[SIDE * SIDE];
        const uint32_t density = 40 + below(seed, 60);
        for (uint32_t i = 0; i < sizeof mask; i++)
            mask[i] = k ? below(seed, 100) < density : pixel[i];
        ee_component c = {.width = SIDE, .height = SIDE, .runs = found};
        const ee_runs runs = {found, ee_keep_largest(&c, ee_find_runs(&c, mask)), {0, 0}};
        ee_draw_mask(&runs, SIDE, SIDE, mask, SIDE);
        const size_t count = ee_contour(&runs, SIDE, rows, points, sizeof points / sizeof *points);
        CHECK(count > 0 && count < sizeof points / sizeof *points && (k || count == 1));
        check_outline(mask, SIDE, SIDE, points, count);
    }
    const ee_runs none = {found, 0, {0, 0}};
    CHECK(ee_contour(&none, SIDE, rows, points, 1) == 0);
}

static void check_pictures(edgeecho_model *model) {
    edgeecho_info info = {.struct_size = sizeof info};
    CHECK(edgeecho_describe(model, &info) == EDGEECHO_OK);
    const size_t side = info.size_px;
    edgeecho_stream *stream = stream_of(model, 0);
    static edgeecho_point points[8 * W * H];
    uint8_t mask[H * W], *prob = malloc(side * (side + 3));
    size_t count = 77;
    CHECK(prob && edgeecho_contour(stream, NULL, 0, &count) == EDGEECHO_MORE && count == 0);
    CHECK(edgeecho_probability(stream, prob, side * side, side) == EDGEECHO_MORE);
    const edgeecho_frame frame = frame_of(0, 0);
    CHECK(edgeecho_push(stream, &frame) >= 0);
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    CHECK(edgeecho_contour(stream, NULL, 0, NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_contour(stream, NULL, 1, &count) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_contour(NULL, points, 1, &count) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_contour(stream, NULL, 0, &count) == EDGEECHO_OK && count > 20);
    CHECK(edgeecho_contour(stream, points, count - 1, &count) == EDGEECHO_E_SIZE && count > 20);
    CHECK(edgeecho_contour(stream, points, count, &count) == EDGEECHO_OK);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_OK);
    check_outline(mask, W, H, points, count);
    CHECK(edgeecho_probability(stream, prob, side * side - 1, side) == EDGEECHO_E_SIZE);
    CHECK(edgeecho_probability(stream, prob, side * side, side - 1) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_probability(stream, NULL, side * side, side) == EDGEECHO_E_ARGUMENT);
    memset(prob, 0x5a, side * (side + 3));
    CHECK(edgeecho_probability(stream, prob, side * (side + 3), side + 3) == EDGEECHO_OK && prob[side] == 0x5a);
    uint32_t sure = 0;
    for (size_t i = 0; i < side * (side + 3); i++)
        sure += i % (side + 3) < side && prob[i] >= info.threshold;
    CHECK(sure > 20);
    free(prob);
    edgeecho_stream_destroy(stream);
}

/* A heart that beats once in 40 frames, with frames that are dropped and a pause: the rate is that of the times. */
static void check_times(edgeecho_model *model) {
    edgeecho_stream *stream = stream_of(model, 40);
    edgeecho_result r = {.struct_size = sizeof r};
    edgeecho_beat beat = {.struct_size = sizeof beat};
    uint64_t dropped = 0;
    for (uint32_t t = 0; t < 6 * FRAMES; t++) {
        const double time_s = t / 50.0 + (t > 100 ? 2 : 0); /* it beats 75 times a minute, and not 60 as at 40 fps */
        const edgeecho_frame frame = frame_of(t, time_s);
        CHECK(edgeecho_push(stream, &frame) >= 0);
        dropped += t == 101 ? 80 : 0;
    }
    edgeecho_frame wrong = frame_of(0, 1);
    CHECK(edgeecho_push(stream, &wrong) == EDGEECHO_E_ARGUMENT && strstr(edgeecho_stream_error(stream), "not after"));
    CHECK(edgeecho_read(stream, &r) == EDGEECHO_OK && r.frames_dropped == dropped);
    CHECK(fabs(r.time_s - (r.frame / 50.0 + 2)) < 1e-9);
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    for (uint32_t i = 0; edgeecho_beat_at(stream, i, &beat) == EDGEECHO_OK; i++) {
        CHECK(isnan(beat.heart_rate_bpm) || fabs(beat.heart_rate_bpm - 75) < 4);
        CHECK(fabs(beat.ed_time_s - (beat.ed_frame / 50.0 + (beat.ed_frame > 100 ? 2 : 0))) < 1e-9);
    }
    CHECK(edgeecho_read(stream, &r) == EDGEECHO_OK && r.beats > 2 && r.no_beat_reason == 0);
    const edgeecho_frame untimed = frame_of(0, 0), later = frame_of(1, 5);
    CHECK(edgeecho_reset(stream) == EDGEECHO_OK);
    CHECK(edgeecho_push(stream, &untimed) >= 0 && edgeecho_push(stream, &untimed) >= 0);
    CHECK(edgeecho_push(stream, &later) == EDGEECHO_E_ARGUMENT && strstr(edgeecho_stream_error(stream), "no times"));
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    CHECK(edgeecho_read(stream, &r) == EDGEECHO_OK && isnan(r.time_s) && r.frames_dropped == 0);
    CHECK(r.no_beat_reason == EDGEECHO_REASON_TOO_SHORT && r.frame_reasons >> EDGEECHO_REASON_FROZEN & 1);
    edgeecho_stream_destroy(stream);
}

static void check_versions(const edgeecho_model *model) {
    edgeecho_versions v = {.struct_size = sizeof v};
    CHECK(edgeecho_get_versions(NULL, &v) == EDGEECHO_OK && v.engine[0] == 0 && v.api == EDGEECHO_API_VERSION);
    CHECK(edgeecho_get_versions(model, &v) == EDGEECHO_OK &&
          (strncmp(v.engine, "ONNX Runtime 1.", 15) == 0 || strncmp(v.engine, "EdgeEcho native", 15) == 0));
    char library[32];
    const uint32_t version = edgeecho_version();
    snprintf(library, sizeof library, "%u.%u.%u", version >> 16, version >> 8 & 255, version & 255);
    CHECK(strcmp(v.library, library) == 0 && strlen(v.build) > 8 && v.device_file_version >= 2);
    v.struct_size = 3;
    CHECK(edgeecho_get_versions(model, &v) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_get_versions(model, NULL) == EDGEECHO_E_ARGUMENT);
}

int main(int argc, char **argv) {
    uint64_t seed = 5;
    edgeecho_model *model;
    CHECK(argc > 1);
    for (uint32_t k = 0; k < FRAMES; k++)
        draw_heart(cine[k], W, H, k, &seed);
    check_outlines(&seed);
    CHECK(edgeecho_open(argv[1], NULL, &model) == EDGEECHO_OK);
    check_versions(model);
    check_pictures(model);
    check_times(model);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    return 0;
}
