/*
 * Push many frames; resident memory must stay flat after the first hundred.  Prints the times of a push.
 *
 *     soak MODEL [FRAMES WIDTH HEIGHT THREADS]
 */
#define _POSIX_C_SOURCE 200809L
#include <edgeecho.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "testing.h"

enum { HEARTS = 40 };

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld %ld", &pages, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double sorted_ms(uint64_t *ns, uint32_t n, double part) {
    qsort(ns, n, sizeof *ns, ascending);
    return (double)ns[(uint32_t)((n - 1) * part)] / 1e6;
}

static void report(const char *what, uint64_t *ns, uint32_t n) {
    printf("%-14s p50 %.3f ms  p99 %.3f ms  max %.3f ms  n %u\n", what, sorted_ms(ns, n, 0.5), sorted_ms(ns, n, 0.99),
           sorted_ms(ns, n, 1), n);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const uint32_t frames = argc > 2 ? (uint32_t)atoi(argv[2]) : 100000;
    const uint32_t width = argc > 3 ? (uint32_t)atoi(argv[3]) : 640, height = argc > 4 ? (uint32_t)atoi(argv[4]) : 480;
    edgeecho_open_options opening = {.struct_size = sizeof opening, .threads = argc > 5 ? (uint32_t)atoi(argv[5]) : 1};
    edgeecho_stream_options options = {sizeof options, width, height, 50, 0.3, 0.3, 0, 0, 0};
    edgeecho_result result = {.struct_size = sizeof result};
    edgeecho_frame frame = {.struct_size = sizeof frame, .stride_bytes = width, .width = width, .height = height};
    edgeecho_model *model;
    edgeecho_stream *stream;
    uint64_t seed = 1, *push = calloc(frames, sizeof *push), *engine = calloc(frames, sizeof *engine);
    uint64_t *rest = calloc(frames, sizeof *rest);
    uint8_t *hearts = malloc((size_t)HEARTS * width * height);
    uint8_t *arriving = malloc((size_t)width * height); /* where a driver puts each frame */
    CHECK(frames > 200 && push && engine && rest && hearts && arriving);
    frame.pixels = arriving;
    memset(push, 1, frames * sizeof *push), memset(engine, 1, frames * sizeof *push);
    memset(rest, 1, frames * sizeof *push);
    for (uint32_t k = 0; k < HEARTS; k++)
        draw_heart(hearts + (size_t)k * width * height, width, height, k, &seed);
    const long before = resident_kib();
    const uint64_t begun = now_ns();
    uint64_t answered = 0;
    CHECK(edgeecho_open(argv[1], &opening, &model) == EDGEECHO_OK);
    const long opened = resident_kib();
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    const long created = resident_kib();
    frame.roi_x = (int32_t)(width - height) / 2;
    frame.roi_width = frame.roi_height = height;
    long early = 0, latest = 0;
    double first_ms = 0;
    for (uint32_t k = 0; k < frames; k++) {
        memcpy(arriving, hearts + (size_t)(k % HEARTS) * width * height, (size_t)width * height);
        const edgeecho_status status = edgeecho_push(stream, &frame);
        CHECK(status >= 0);
        answered = answered || status != EDGEECHO_OK ? answered : now_ns();
        edgeecho_read(stream, &result);
        first_ms = k ? first_ms : (double)result.push_ns / 1e6;
        push[k] = result.push_ns, engine[k] = result.engine_ns, rest[k] = result.push_ns - result.engine_ns;
        if (k == 100)
            early = resident_kib();
        if (k % 1000 == 999 || k == frames - 1)
            latest = resident_kib();
    }
    printf("frames of %ux%u, %u thread(s); first push %.3f ms\n", width, height, opening.threads, first_ms);
    printf("from open to the first answer %.3f ms\n", (double)(answered - begun) / 1e6);
    report("push", push + 1, frames - 1);
    report("engine", engine + 1, frames - 1);
    report("beyond it", rest + 1, frames - 1);
    printf("overhead of the medians: %.1f%%\n",
           100 * (sorted_ms(push + 1, frames - 1, 0.5) / sorted_ms(engine + 1, frames - 1, 0.5) - 1));
    printf("resident: %ld KiB by open, %ld by create; after 101 frames %ld, at the end %ld\n", opened - before,
           created - opened, early, latest);
    printf("beats %u, EF %.2f, heart rate %.1f\n", result.beats, result.ef_percent, result.heart_rate_bpm);
    CHECK(latest <= early + 64);
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    free(push), free(engine), free(rest), free(hearts), free(arriving);
    return 0;
}
