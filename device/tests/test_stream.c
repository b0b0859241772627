/*
 * Errors in sentences, the log, memory of the caller, other options at a reset, times, outline, probability, versions.
 *
 *     test_stream STREAM_MODEL CLIP_MODEL
 */
#include <edgeecho.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "testing.h"

enum { W = 96, H = 80, FRAMES = 30, SEARCH = EDGEECHO_SEARCH_REGION | EDGEECHO_SEARCH_ORIENTATION };
static uint8_t cine[FRAMES][H * W];

static edgeecho_frame frame_of(uint32_t t) {
    return (edgeecho_frame){
        .struct_size = sizeof(edgeecho_frame), .pixels = cine[t % FRAMES], .stride_bytes = W, .width = W, .height = H};
}

static edgeecho_stream_options options_of(double fps, uint32_t search) {
    return (edgeecho_stream_options){.struct_size = sizeof(edgeecho_stream_options),
                                     .max_width = W,
                                     .max_height = H,
                                     .fps = fps,
                                     .row_mm = 0.4,
                                     .column_mm = 0.5,
                                     .search = search};
}

static edgeecho_stream *stream_of(edgeecho_model *model, const edgeecho_stream_options *options) {
    edgeecho_stream *stream = NULL;
    CHECK(edgeecho_stream_create(model, options, &stream) == EDGEECHO_OK && stream);
    return stream;
}

/* Push a cine and end it: a number that its masks, probabilities, regions and figures make. */
static uint64_t run(edgeecho_stream *stream) {
    static uint8_t mask[H * W], prob[256 * 256];
    uint64_t mixed = 0;
    edgeecho_result r = {.struct_size = sizeof r};
    for (uint32_t t = 0;; t++) {
        const edgeecho_frame frame = frame_of(t);
        const edgeecho_status status = t < FRAMES ? edgeecho_push(stream, &frame) : edgeecho_flush(stream);
        CHECK(status >= 0);
        if (t >= FRAMES && status == EDGEECHO_MORE)
            break;
        if (edgeecho_read(stream, &r) == EDGEECHO_MORE)
            continue;
        CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_OK);
        CHECK(edgeecho_probability(stream, prob, sizeof prob, 256) == EDGEECHO_OK);
        for (uint32_t i = 0; i < sizeof mask; i++)
            mixed = mixed * 31 + mask[i] + prob[i];
        mixed = mixed * 31 + r.roi_width + r.beats + r.reasons + r.frame_reasons + (uint64_t)(1000 * r.confidence);
    }
    return mixed;
}

typedef struct { /* what a log has taken */
    int errors, others;
    char last[512];
} taken;

static void take_message(void *context, int32_t level, const char *text) {
    taken *t = context;
    *(level == EDGEECHO_LOG_ERROR ? &t->errors : &t->others) += 1;
    snprintf(t->last, sizeof t->last, "%s", text);
}

static void check_open(const char *path, const char *clip) {
    taken log = {0};
    char error[256] = "of before";
    edgeecho_model *model = NULL;
    edgeecho_open_options o = {.struct_size = sizeof o, .log = take_message, .log_context = &log};
    o.error = error, o.error_size = sizeof error;
    CHECK(edgeecho_open("/nowhere/at.all", &o, &model) == EDGEECHO_E_FILE && strstr(error, "/nowhere/at.all: No such"));
    CHECK(log.errors == 1 && strcmp(log.last, error) == 0);
    CHECK(edgeecho_open(clip, &o, &model) == EDGEECHO_E_MODEL && strstr(error, "a clip graph"));
    CHECK(edgeecho_open_memory("EDGEECHO", 8, &o, &model) == EDGEECHO_E_FORMAT && strstr(error, "8 bytes are no"));
    o.threads = 1000;
    CHECK(edgeecho_open(path, &o, &model) == EDGEECHO_E_ARGUMENT && strstr(error, "1000 threads") && log.errors == 4);
    o.error_size = 5;
    CHECK(edgeecho_open(path, &o, &model) == EDGEECHO_E_ARGUMENT && strcmp(error, "1000") == 0);
    o.threads = 0, o.error_size = sizeof error;
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    bytes[size - 1] ^= 1;
    CHECK(edgeecho_open_memory(bytes, size, &o, &model) == EDGEECHO_E_DAMAGED && strstr(error, "SHA-256"));
    free(bytes);
    CHECK(edgeecho_open(path, &o, &model) == EDGEECHO_OK && !error[0]);
    const edgeecho_stream_options wrong = options_of(-1, 0), right = options_of(30, 0);
    edgeecho_stream *stream = NULL;
    CHECK(edgeecho_stream_create(model, &wrong, &stream) == EDGEECHO_E_ARGUMENT && strstr(log.last, "fps is -1"));
    CHECK(edgeecho_model_error(model, error, sizeof error) == EDGEECHO_OK && strcmp(error, log.last) == 0);
    stream = stream_of(model, &right);
    CHECK(edgeecho_push(stream, NULL) == EDGEECHO_E_ARGUMENT);
    CHECK(strcmp(edgeecho_stream_error(stream), log.last) == 0 && strstr(log.last, "struct_size of the frame"));
    CHECK(edgeecho_close(model) == EDGEECHO_E_BUSY && strstr(log.last, "1 streams"));
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
}

/* A frame that is refused, with its status and a part of the sentence. */
static void check_refused(edgeecho_stream *stream, const edgeecho_frame *frame, edgeecho_status status,
                          const char *text) {
    CHECK(edgeecho_push(stream, frame) == status);
    if (!strstr(edgeecho_stream_error(stream), text))
        fprintf(stderr, "'%s' without '%s'\n", edgeecho_stream_error(stream), text);
    CHECK(strstr(edgeecho_stream_error(stream), text));
}

static void check_sentences(edgeecho_model *model) {
    const edgeecho_stream_options o = options_of(30, 0), searching = options_of(30, SEARCH);
    edgeecho_stream *stream = stream_of(model, &o), *search = stream_of(model, &searching);
    const edgeecho_frame right = frame_of(0);
    edgeecho_frame f = right;
    CHECK(!edgeecho_stream_error(stream)[0] && edgeecho_stream_error(NULL)[0]);
    f.pixels = NULL;
    check_refused(stream, &f, EDGEECHO_E_ARGUMENT, "pixels of the frame are NULL");
    f = right, f.width = W + 1;
    check_refused(stream, &f, EDGEECHO_E_SIZE, "97x80 pixels, this stream takes 16x16 to 96x80");
    f = right, f.stride_bytes = 7;
    check_refused(stream, &f, EDGEECHO_E_ARGUMENT, "stride_bytes is 7 for rows of 96 pixels");
    f = right, f.roi_x = 90, f.roi_width = f.roi_height = 40;
    check_refused(stream, &f, EDGEECHO_E_REGION, "40x40 pixels at 90,0");
    f.roi_width = 5000;
    check_refused(stream, &f, EDGEECHO_E_REGION, "5000x40 pixels");
    check_refused(search, &f, EDGEECHO_E_ARGUMENT, "the stream searches it");
    f = right, f.time_s = NAN;
    check_refused(stream, &f, EDGEECHO_E_ARGUMENT, "not a finite number");
    CHECK(edgeecho_push(stream, &right) >= 0);
    f = right, f.height = 60;
    check_refused(stream, &f, EDGEECHO_E_SIZE, "96x60 pixels, the cine began with 96x80");
    f = right, f.roi_width = f.roi_height = 64;
    check_refused(stream, &f, EDGEECHO_E_REGION, "another region");
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    uint8_t mask[10];
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_E_SIZE);
    CHECK(strstr(edgeecho_stream_error(stream), "10 bytes, too few for 96x80"));
    edgeecho_stream_destroy(stream), edgeecho_stream_destroy(search);
}

static void *refuse_in_thread(void *model) {
    edgeecho_stream_options o = options_of(30, 0);
    edgeecho_stream *stream = NULL;
    char text[256];
    for (uint32_t i = 0; i < 500; i++) {
        o.fps = i % 2 ? -1 : 30, o.search = i % 2 ? 0 : 77;
        CHECK(edgeecho_stream_create(model, &o, &stream) == EDGEECHO_E_ARGUMENT && !stream);
        CHECK(edgeecho_model_error(model, text, sizeof text) == EDGEECHO_OK);
        CHECK(strcmp(text, "fps is -1: it must be 0 (unknown) to 1000") == 0 || strncmp(text, "search is 77", 12) == 0);
    }
    return NULL;
}

static void check_threads(edgeecho_model *model) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, refuse_in_thread, model) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* A stream in memory of the caller gives the same, and touches nothing else. */
static void check_memory(edgeecho_model *model) {
    enum { GUARD = 64 };
    for (uint32_t search = 0; search <= SEARCH; search += SEARCH) {
        const edgeecho_stream_options o = options_of(30, search), wrong = options_of(1e9, search);
        edgeecho_stream *own = stream_of(model, &o), *stream = NULL;
        const size_t size = edgeecho_stream_size(model, &o);
        uint8_t *block = malloc(size + 3 * GUARD);
        CHECK(block && size > 100000 && !edgeecho_stream_size(model, &wrong) && !edgeecho_stream_size(NULL, &o));
        memset(block, 0xa5, size + 3 * GUARD);
        uint8_t *memory = block + GUARD + (GUARD - (uintptr_t)block % GUARD) % GUARD;
        CHECK(edgeecho_stream_init(model, &o, memory + 8, size, &stream) == EDGEECHO_E_ARGUMENT && !stream);
        CHECK(edgeecho_stream_init(model, &o, NULL, size, &stream) == EDGEECHO_E_ARGUMENT && !stream);
        CHECK(edgeecho_stream_init(model, &o, memory, size - 1, &stream) == EDGEECHO_E_SIZE && !stream);
        for (int again = 0; again < 2; again++) {
            CHECK(edgeecho_stream_init(model, &o, memory, size, &stream) == EDGEECHO_OK);
            CHECK(run(stream) == run(own));
            edgeecho_stream_destroy(stream);
        }
        for (size_t i = 0; i < GUARD; i++)
            CHECK(memory[-1 - (ptrdiff_t)i] == 0xa5 && memory[size + i] == 0xa5);
        edgeecho_stream_destroy(own);
        free(block);
    }
}

/* After a reset with other options a stream does what a new one does. */
static void check_reset(edgeecho_model *model) {
    const edgeecho_stream_options all[] = {options_of(30, 0),
                                           options_of(60, SEARCH),
                                           options_of(0, SEARCH),
                                           options_of(25, 0),
                                           options_of(50, EDGEECHO_SEARCH_ORIENTATION),
                                           options_of(60, 0)};
    edgeecho_stream_options first = all[0], o = all[0];
    edgeecho_stream *small = stream_of(model, &first);
    first.memory_bytes = edgeecho_stream_size(model, &all[1]);
    edgeecho_stream *stream = stream_of(model, &first);
    const uint64_t wanted = run(small);
    CHECK(run(stream) == wanted);
    CHECK(edgeecho_reset_with(small, &all[1]) == EDGEECHO_E_SIZE &&
          strstr(edgeecho_stream_error(small), "memory_bytes"));
    o.flip = 99;
    CHECK(edgeecho_reset_with(small, &o) == EDGEECHO_E_ARGUMENT && edgeecho_reset_with(small, NULL) < 0);
    CHECK(edgeecho_reset_with(NULL, &o) == EDGEECHO_E_ARGUMENT);
    CHECK(run(small) == wanted); /* what is refused changes nothing */
    edgeecho_stream_destroy(small);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        edgeecho_stream *fresh = stream_of(model, &all[i]);
        const edgeecho_frame frame = frame_of(7);
        CHECK(edgeecho_reset_with(stream, &all[i]) == EDGEECHO_OK);
        CHECK(edgeecho_push(stream, &frame) >= 0 && edgeecho_reset(stream) == EDGEECHO_OK);
        CHECK(run(stream) == run(fresh));
        edgeecho_stream_destroy(fresh);
    }
    edgeecho_stream_destroy(stream);
}

int main(int argc, char **argv) {
    uint64_t seed = 4;
    edgeecho_model *model;
    CHECK(argc > 2);
    for (uint32_t k = 0; k < FRAMES; k++)
        draw_heart(cine[k], W, H, k, &seed);
    check_open(argv[1], argv[2]);
    CHECK(edgeecho_open(argv[1], NULL, &model) == EDGEECHO_OK);
    check_sentences(model);
    check_threads(model);
    check_memory(model);
    check_reset(model);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    return 0;
}
