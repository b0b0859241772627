/*
 * Each wrong call has its status, and right ones still work after it; streams do not disturb each other.
 *
 *     test_api STREAM_MODEL CLIP_MODEL
 */
#include <edgeecho.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "testing.h"

enum { W = 96, H = 80, FRAMES = 24 };
static uint8_t cine[FRAMES][H * W];

static edgeecho_frame frame_of(const uint8_t *pixels) {
    return (edgeecho_frame){
        .struct_size = sizeof(edgeecho_frame), .pixels = pixels, .stride_bytes = W, .width = W, .height = H};
}

static edgeecho_stream_options options_of(void) {
    return (edgeecho_stream_options){.struct_size = sizeof(edgeecho_stream_options),
                                     .max_width = W,
                                     .max_height = H,
                                     .fps = 30,
                                     .row_mm = 0.4,
                                     .column_mm = 0.5};
}

static edgeecho_stream *stream_of(edgeecho_model *model) {
    edgeecho_stream_options options = options_of();
    edgeecho_stream *stream = NULL;
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK && stream);
    return stream;
}

/* Push the cine and end it: a number that its masks and areas make. */
static uint64_t run(edgeecho_stream *stream) {
    uint64_t mixed = 0;
    uint32_t answers = 0, given = 0;
    uint8_t mask[H * W];
    edgeecho_result result = {.struct_size = sizeof result};
    for (;;) {
        edgeecho_frame frame = frame_of(cine[given < FRAMES ? given : FRAMES - 1]);
        edgeecho_status status = given < FRAMES ? edgeecho_push(stream, &frame) : edgeecho_flush(stream);
        CHECK(status == EDGEECHO_OK || status == EDGEECHO_MORE);
        if (given >= FRAMES && status == EDGEECHO_MORE)
            break;
        given += given < FRAMES;
        if (status == EDGEECHO_MORE)
            continue;
        CHECK(edgeecho_read(stream, &result) == EDGEECHO_OK);
        CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_OK);
        uint32_t area = 0;
        for (uint32_t i = 0; i < sizeof mask; i++)
            area += mask[i], mixed = mixed * 31 + mask[i];
        CHECK(result.frame == answers++ && result.area_px == area && result.engine_ns <= result.push_ns);
        CHECK(fabs(result.area_mm2 - area * 0.2) < 1e-9);
    }
    CHECK(answers == FRAMES);
    return mixed;
}

static void check_open(const char *path, const char *clip) {
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    edgeecho_model *model = (edgeecho_model *)&size;
    edgeecho_open_options options = {.struct_size = sizeof options};
    CHECK(edgeecho_open(NULL, NULL, &model) == EDGEECHO_E_ARGUMENT && !model);
    CHECK(edgeecho_open(path, NULL, NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_open("/nowhere/at.all", NULL, &model) == EDGEECHO_E_FILE && !model);
    CHECK(edgeecho_open("/", NULL, &model) == EDGEECHO_E_FILE);
    CHECK(edgeecho_open("/dev/null", NULL, &model) == EDGEECHO_E_FILE);
    CHECK(edgeecho_open(clip, NULL, &model) == EDGEECHO_E_MODEL && !model);
    CHECK(edgeecho_open_memory(NULL, size, NULL, &model) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_open_memory(bytes, 0, NULL, &model) == EDGEECHO_E_FORMAT);
    CHECK(edgeecho_open_memory(bytes, size - 1, NULL, &model) == EDGEECHO_E_DAMAGED);
    bytes[size / 2] ^= 1;
    CHECK(edgeecho_open_memory(bytes, size, NULL, &model) == EDGEECHO_E_DAMAGED);
    bytes[size / 2] ^= 1;
    bytes[8]++;
    CHECK(edgeecho_open_memory(bytes, size, NULL, &model) == EDGEECHO_E_FORMAT);
    bytes[8]--;
    for (size_t part = 1; part < sizeof options; part++) { /* too small, or it ends within a pointer */
        options.struct_size = part;
        if (part < offsetof(edgeecho_open_options, onnxruntime_api) || part % sizeof part)
            CHECK(edgeecho_open_memory(bytes, size, &options, &model) == EDGEECHO_E_ARGUMENT);
    }
    options = (edgeecho_open_options){.struct_size = sizeof options, .threads = 1000};
    CHECK(edgeecho_open_memory(bytes, size, &options, &model) == EDGEECHO_E_ARGUMENT && !model);
    options.threads = 2;
    CHECK(edgeecho_open_memory(bytes, size, &options, &model) == EDGEECHO_OK && model);
    memset(bytes, 0, size); /* nothing passed in is kept */
    free(bytes);
    edgeecho_stream *stream = stream_of(model);
    run(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_E_BUSY);
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    CHECK(edgeecho_close(NULL) == EDGEECHO_OK);
}

static void check_describe(edgeecho_model *model) {
    edgeecho_info info = {.struct_size = 1};
    CHECK(edgeecho_describe(model, &info) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_describe(model, NULL) == EDGEECHO_E_ARGUMENT);
    info.struct_size = sizeof info;
    CHECK(edgeecho_describe(NULL, &info) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_describe(model, &info) == EDGEECHO_OK);
    CHECK(strlen(info.sha256) == 64 &&
          (strncmp(info.engine, "ONNX Runtime 1.", 15) == 0 || strncmp(info.engine, "EdgeEcho native", 15) == 0) &&
          info.size_px >= 16);
    CHECK(edgeecho_version() == (EDGEECHO_VERSION_MAJOR << 16 | EDGEECHO_VERSION_MINOR << 8 | EDGEECHO_VERSION_PATCH));
    for (edgeecho_status status = -20; status < 20; status++)
        CHECK(strlen(edgeecho_status_text(status)) > 3);
}

static void check_create(edgeecho_model *model) {
    const edgeecho_stream_options wrong[] = {
        {1, W, H, 30, 0, 0, 0, 0, 0},
        {sizeof *wrong, 15, H, 30, 0, 0, 0, 0, 0},
        {sizeof *wrong, W, 4097, 30, 0, 0, 0, 0, 0},
        {sizeof *wrong, UINT32_MAX, UINT32_MAX, 30, 0, 0, 0, 0, 0},
        {sizeof *wrong, W, H, -1, 0, 0, 0, 0, 0},
        {sizeof *wrong, W, H, NAN, 0, 0, 0, 0, 0},
        {sizeof *wrong, W, H, INFINITY, 0, 0, 0, 0, 0},
        {sizeof *wrong, W, H, 30, 0.4, 0, 0, 0, 0},
        {sizeof *wrong, W, H, 30, -0.4, -0.4, 0, 0, 0},
        {sizeof *wrong, W, H, 30, NAN, NAN, 0, 0, 0},
        {sizeof *wrong, W, H, 30, 1e9, 1e9, 0, 0, 0},
        {sizeof *wrong, W, H, 30, 0, 0, 4, 0, 0},
        {sizeof *wrong, W, H, 30, 0, 0, 0, 8, 0},
        {sizeof *wrong, W, H, 30, 0, 0, EDGEECHO_SEARCH_ORIENTATION, EDGEECHO_FLIP_LR, 0},
        {sizeof *wrong + 1, W, H, 30, 0, 0, 0, 0, 0},
        {offsetof(edgeecho_stream_options, search) - 1, W, H, 30, 0, 0, 0, 0, 0},
    };
    edgeecho_stream_options options = options_of();
    edgeecho_stream *stream = NULL;
    CHECK(edgeecho_stream_create(NULL, &options, &stream) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_stream_create(model, NULL, &stream) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_stream_create(model, &options, NULL) == EDGEECHO_E_ARGUMENT);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(edgeecho_stream_create(model, &wrong[i], &stream) == EDGEECHO_E_ARGUMENT && !stream);
    edgeecho_stream_destroy(NULL);
}

static void check_push(edgeecho_model *model) {
    edgeecho_stream *stream = stream_of(model);
    edgeecho_result result = {.struct_size = sizeof result};
    edgeecho_beat beat = {.struct_size = sizeof beat};
    uint8_t mask[H * (W + 7)];
    const edgeecho_frame right = frame_of(cine[0]);
    edgeecho_frame f = right;
    CHECK(edgeecho_read(stream, &result) == EDGEECHO_MORE);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_MORE);
    CHECK(edgeecho_beat_at(stream, 0, &beat) == EDGEECHO_MORE);
    CHECK(edgeecho_flush(stream) == EDGEECHO_MORE);
    CHECK(edgeecho_push(NULL, &f) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_push(stream, NULL) == EDGEECHO_E_ARGUMENT);
    f.pixels = NULL;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_ARGUMENT);
    f = right, f.struct_size = 8;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_ARGUMENT);
    f = right, f.stride_bytes = W - 1;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_ARGUMENT);
    f = right, f.stride_bytes = SIZE_MAX;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_ARGUMENT);
    f = right, f.width = W + 1, f.stride_bytes = W + 1;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_SIZE);
    f = right, f.height = 15;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_SIZE);
    f = right, f.roi_width = 40;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);
    f = right, f.roi_x = W - 15, f.roi_width = f.roi_height = 40;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);
    f = right, f.roi_x = INT32_MIN, f.roi_y = INT32_MAX, f.roi_width = f.roi_height = 8 * W;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);
    f = right, f.roi_width = f.roi_height = 8 * W + 1;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);
    f = right, f.roi_width = f.roi_height = UINT32_MAX;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);

    CHECK(edgeecho_push(stream, &right) >= 0);
    f = right, f.width = W - 16;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_SIZE);
    f = right, f.roi_x = 1, f.roi_width = f.roi_height = 64;
    CHECK(edgeecho_push(stream, &f) == EDGEECHO_E_REGION);
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        CHECK(edgeecho_read(stream, &result) == EDGEECHO_OK && result.frame == 0);
    CHECK(edgeecho_flush(stream) == EDGEECHO_MORE);
    CHECK(edgeecho_mask(stream, mask, H * W - 1, W) == EDGEECHO_E_SIZE);
    CHECK(edgeecho_mask(stream, mask, H * W, W + 7) == EDGEECHO_E_SIZE);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W - 1) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_mask(stream, NULL, sizeof mask, W) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W + 7) == EDGEECHO_OK);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, SIZE_MAX) == EDGEECHO_E_SIZE);
    result.struct_size = 3;
    CHECK(edgeecho_read(stream, &result) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_read(NULL, &result) == EDGEECHO_E_ARGUMENT && edgeecho_read(stream, NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_reset(NULL) == EDGEECHO_E_ARGUMENT && edgeecho_flush(NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_beat_at(stream, 0, NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_beat_at(stream, UINT32_MAX, &beat) == EDGEECHO_MORE);
    edgeecho_stream_destroy(stream);
}

/* A program that was compiled against version 0.1.0: its structs are smaller, and nothing is written behind them. */
static void check_older_program(edgeecho_model *model) {
    enum { CANARY = 0xa5 };
    const size_t sizes[] = {offsetof(edgeecho_result, confidence), offsetof(edgeecho_result, reasons),
                            sizeof(edgeecho_result)};
    edgeecho_stream_options options = options_of();
    edgeecho_stream *stream = NULL;
    edgeecho_frame frame = frame_of(cine[0]);
    options.struct_size = offsetof(edgeecho_stream_options, search);
    options.search = options.flip = UINT32_MAX; /* what stands behind is not read */
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    CHECK(edgeecho_push(stream, &frame) >= 0);
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    edgeecho_result whole = {.struct_size = sizeof whole};
    CHECK(edgeecho_read(stream, &whole) == EDGEECHO_OK && whole.frame == 0);
    CHECK(whole.verdict == EDGEECHO_WITHHOLD && whole.reasons == 1u << EDGEECHO_REASON_TOO_SHORT && !whole.notes);
    CHECK(whole.view_fixed == 1 && whole.flip == EDGEECHO_FLIP_NONE && !whole.inverted && whole.confidence >= 0);
    CHECK(whole.roi_x == 0 && whole.roi_y == 0 && whole.roi_width == W && whole.roi_height == H);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        edgeecho_result part;
        memset(&part, CANARY, sizeof part);
        part.struct_size = sizes[i];
        CHECK(edgeecho_read(stream, &part) == EDGEECHO_OK && part.struct_size == sizes[i]);
        CHECK(memcmp((char *)&part + sizeof(size_t), (char *)&whole + sizeof(size_t), sizes[i] - sizeof(size_t)) == 0);
        for (size_t at = sizes[i]; at < sizeof part; at++)
            CHECK(((uint8_t *)&part)[at] == CANARY);
    }
    whole.struct_size = sizes[0] - 1;
    CHECK(edgeecho_read(stream, &whole) == EDGEECHO_E_ARGUMENT);
    whole.struct_size = sizes[0] + 1;
    CHECK(edgeecho_read(stream, &whole) == EDGEECHO_E_ARGUMENT);
    whole.struct_size = sizeof whole + 1;
    CHECK(edgeecho_read(stream, &whole) == EDGEECHO_E_ARGUMENT);
    edgeecho_beat beat = {.struct_size = offsetof(edgeecho_beat, reasons)};
    CHECK(edgeecho_beat_at(stream, 0, &beat) == EDGEECHO_MORE);
    beat.struct_size--;
    CHECK(edgeecho_beat_at(stream, 0, &beat) == EDGEECHO_E_ARGUMENT);
    beat.struct_size = sizeof beat + 1;
    CHECK(edgeecho_beat_at(stream, 0, &beat) == EDGEECHO_E_ARGUMENT);
    edgeecho_stream_destroy(stream);
}

static void check_reasons(void) {
    CHECK(strcmp(edgeecho_reason_code(EDGEECHO_REASON_SHORT_AXIS), "short_axis") == 0);
    for (uint32_t reason = 0; reason < 70; reason++)
        CHECK(strlen(edgeecho_reason_code(reason)) > 3 && strlen(edgeecho_reason_text(reason)) > 3);
    CHECK(strcmp(edgeecho_reason_code(UINT32_MAX), "unknown") == 0 && edgeecho_reason_text(UINT32_MAX));
}

/* A stream that searches its view gets no region; a reset and a flush begin the search anew. */
static void check_search(edgeecho_model *model) {
    for (uint32_t search = 1; search < 4; search++) {
        edgeecho_stream_options options = options_of();
        edgeecho_stream *stream = NULL;
        edgeecho_frame frame = frame_of(cine[0]);
        options.search = search;
        CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
        frame.roi_width = frame.roi_height = W;
        const edgeecho_status status = edgeecho_push(stream, &frame);
        CHECK(search & EDGEECHO_SEARCH_REGION ? status == EDGEECHO_E_ARGUMENT : status >= 0);
        CHECK(edgeecho_reset(stream) == EDGEECHO_OK);
        const uint64_t wanted = run(stream);
        edgeecho_result result = {.struct_size = sizeof result};
        CHECK(edgeecho_read(stream, &result) == EDGEECHO_OK && result.verdict == EDGEECHO_WITHHOLD);
        CHECK(run(stream) == wanted);
        edgeecho_stream_destroy(stream);
    }
    /* no square around the whole frame that is in proportion to it */
    edgeecho_stream_options options = options_of();
    edgeecho_stream *stream = NULL;
    edgeecho_frame frame = frame_of(cine[0]);
    options.search = EDGEECHO_SEARCH_REGION, options.row_mm = 0.05, options.column_mm = 1;
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    CHECK(edgeecho_push(stream, &frame) == EDGEECHO_E_REGION);
    edgeecho_stream_destroy(stream);
}

static void *run_in_thread(void *model) {
    static uint64_t results[4];
    static int next;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    edgeecho_stream *stream = stream_of(model);
    uint64_t found = run(stream);
    found = run(stream) == found ? found : 0;
    edgeecho_stream_destroy(stream);
    pthread_mutex_lock(&lock);
    uint64_t *result = &results[next++];
    pthread_mutex_unlock(&lock);
    *result = found;
    return result;
}

static void check_streams(edgeecho_model *model) {
    edgeecho_stream *stream = stream_of(model);
    const uint64_t wanted = run(stream);
    edgeecho_frame frame = frame_of(cine[7]);
    CHECK(run(stream) == wanted); /* a flush has ended the cine before */
    CHECK(edgeecho_push(stream, &frame) >= 0 && edgeecho_push(stream, &frame) >= 0);
    CHECK(edgeecho_reset(stream) == EDGEECHO_OK);
    CHECK(run(stream) == wanted);
    edgeecho_stream_destroy(stream);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, run_in_thread, model) == 0);
    for (int i = 0; i < 4; i++) {
        void *found;
        CHECK(pthread_join(threads[i], &found) == 0 && *(uint64_t *)found == wanted);
    }
}

int main(int argc, char **argv) {
    uint64_t seed = 3;
    CHECK(argc == 3);
    for (uint32_t k = 0; k < FRAMES; k++)
        draw_heart(cine[k], W, H, k, &seed);
    edgeecho_model *model = NULL;
    check_open(argv[1], argv[2]);
    CHECK(edgeecho_open(argv[1], NULL, &model) == EDGEECHO_OK);
    check_describe(model);
    check_create(model);
    check_push(model);
    check_older_program(model);
    check_reasons();
    check_search(model);
    check_streams(model);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    return 0;
}
