/*
 * Stack that each call uses: with the engine, and of this library alone, which an engine that does nothing shows.
 *
 *     stack MODEL         each call in a thread whose stack is filled with a pattern first
 *     stack MODEL KIB     pushes with a search, in a thread with so large a stack: it crashes, or prints that they passed
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <string.h>

#include "stream.h"
#include "testing.h"

enum { W = 640, H = 480, STACK_BYTES = 1 << 20, PATTERN = 0x5a, MOST_OWN_BYTES = 8192 };
static uint8_t *pixels;
static edgeecho_model *model;
static edgeecho_stream *stream;
static const char *path;

typedef void *step(void *);

static void *do_nothing(void *context) {
    return context;
}

static void *open_model(void *context) {
    CHECK(edgeecho_open(path, NULL, &model) == EDGEECHO_OK);
    return context;
}

static void *create(void *search) {
    edgeecho_stream_options o = {sizeof o, W, H, 50, 0.3, 0.3, search ? 3 : 0, 0, 0};
    CHECK(edgeecho_stream_create(model, &o, &stream) == EDGEECHO_OK);
    return search;
}

static void *push(void *context) {
    uint64_t seed = 1;
    edgeecho_frame frame = {.struct_size = sizeof frame, .stride_bytes = W, .width = W, .height = H, .pixels = pixels};
    for (uint32_t t = 0; t < 180; t++) {
        if (t % 30 == 0)
            draw_heart(pixels, W, H, t / 30 * 20, &seed);
        CHECK(edgeecho_push(stream, &frame) >= 0);
    }
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        continue;
    return context;
}

static void *read_answer(void *context) {
    edgeecho_result result = {.struct_size = sizeof result};
    size_t count;
    uint8_t *mask = malloc(W * H);
    CHECK(edgeecho_read(stream, &result) == EDGEECHO_OK && edgeecho_mask(stream, mask, W * H, W) == EDGEECHO_OK);
    CHECK(edgeecho_contour(stream, NULL, 0, &count) == EDGEECHO_OK);
    free(mask);
    return context;
}

static void *reset_with(void *context) {
    const edgeecho_stream_options o = {sizeof o, W, H, 30, 0.2, 0.2, 0, 0, 0};
    CHECK(edgeecho_reset_with(stream, &o) == EDGEECHO_OK);
    return context;
}

static void *selftest(void *context) {
    edgeecho_selftest_result result = {.struct_size = sizeof result};
    edgeecho_selftest(model, &result);
    return context;
}

/* Bytes of the stack that a call used. */
static size_t used_by(step *call, void *argument) {
    uint8_t *block;
    pthread_attr_t attributes;
    pthread_t thread;
    size_t unused = 0;
    CHECK(posix_memalign((void **)&block, 4096, STACK_BYTES) == 0);
    memset(block, PATTERN, STACK_BYTES);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, block, STACK_BYTES) == 0);
    CHECK(pthread_create(&thread, &attributes, call, argument) == 0 && pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
    while (unused < STACK_BYTES && block[unused] == PATTERN)
        unused++;
    free(block);
    return STACK_BYTES - unused;
}

static edgeecho_status run_nothing(const ee_engine *engine, ee_binding *binding, int from, ee_error *error) {
    (void)engine, (void)binding, (void)from, (void)error;
    return EDGEECHO_OK;
}

/* Print the bytes that a call uses beyond those of an empty thread; returns them. */
static size_t report(const char *what, step *call, void *argument, size_t empty) {
    const size_t bytes = used_by(call, argument) - empty;
    printf("  %-24s %7zu bytes\n", what, bytes);
    return bytes;
}

/* Report all calls of a stream; the most that a push uses. */
static size_t report_stream(size_t empty) {
    static int search;
    report("create", create, NULL, empty);
    size_t most = report("push and flush", push, NULL, empty);
    report("read, mask, outline", read_answer, NULL, empty);
    report("reset with options", reset_with, NULL, empty);
    edgeecho_stream_destroy(stream);
    create(&search);
    const size_t searching = report("push and flush, search", push, NULL, empty);
    edgeecho_stream_destroy(stream);
    return searching > most ? searching : most;
}

static void push_within(size_t stack_bytes) {
    static int search;
    pthread_attr_t attributes;
    pthread_t thread;
    open_model(NULL);
    create(&search);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
    CHECK(pthread_create(&thread, &attributes, push, NULL) == 0 && pthread_join(thread, NULL) == 0);
    printf("passed with a stack of %zu KiB\n", stack_bytes / 1024);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    path = argv[1];
    pixels = malloc(W * H);
    if (argc > 2) {
        push_within((size_t)atoi(argv[2]) * 1024);
        return 0;
    }
    const size_t empty = used_by(do_nothing, NULL);
    printf("with the engine\n");
    report("open", open_model, NULL, empty);
    report("self-test", selftest, NULL, empty);
    report_stream(empty);
    printf("of this library alone\n");
    ee_engine *engine = model->engine;
    const ee_engine_kind *kind = engine->kind;
    ee_engine_kind idle = *kind;
    idle.run = run_nothing;
    engine->kind = &idle;
    const size_t most = report_stream(empty);
    engine->kind = kind;
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    free(pixels);
    CHECK(most <= MOST_OWN_BYTES);
    return 0;
}
