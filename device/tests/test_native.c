/*
 * The native engine: plans that are refused by name, kernels that agree, memory and time.
 *
 *     test_native MODEL             checks a native device file on every kind of kernel that this processor runs
 *     test_native MODEL time [N]    prints the milliseconds of a frame and of each step, for each of them; the median of N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engines/native/native.h"
#include "os.h"
#include "sealing.h"
#include "testing.h"

typedef struct stream {
    ee_engine *engine;
    ee_buffers buffers;
    void *memory;
    ee_binding *binding;
} stream;

static ee_spec spec;
static const uint8_t *graph;
static size_t graph_size;

static stream open_stream(const char *kernels) {
    stream s = {0};
    ee_error error;
    const ee_engine_options options = {.threads = 1, .kernels = kernels};
    CHECK(ee_engine_open(&spec, graph, graph_size, &options, &s.engine, &error) == EDGEECHO_OK);
    const size_t pixels = ee_aligned((size_t)spec.size_px * spec.size_px), bytes = s.engine->kind->binding_bytes(s.engine);
    size_t state = 0;
    for (uint32_t i = 0; i < spec.states; i++)
        state += ee_aligned(spec.state[i].bytes);
    uint8_t *block = ee_allocate(EE_ALIGNMENT, 2 * pixels + state + ee_aligned(bytes));
    CHECK(block);
    memset(block, 0, 2 * pixels + state + bytes);
    s.buffers = (ee_buffers){block, block + pixels, {block + 2 * pixels, block + 2 * pixels}};
    s.memory = block + 2 * pixels + state;
    for (uint32_t i = 0, at = 0; i < spec.states; i++) {
        memset(s.buffers.states[0] + at, spec.state[i].zero_point, spec.state[i].bytes);
        at += (uint32_t)ee_aligned(spec.state[i].bytes);
    }
    CHECK(s.engine->kind->bind(s.engine, &spec, &s.buffers, s.memory, &s.binding, &error) == EDGEECHO_OK);
    return s;
}

static void close_stream(stream *s) {
    s->engine->kind->unbind(s->binding);
    ee_free(s->buffers.frame);
    ee_engine_close(s->engine);
}

static void draw(uint8_t *frame, uint64_t *seed, uint32_t t) {
    for (uint32_t i = 0; i < spec.size_px * spec.size_px; i++)
        frame[i] = (uint8_t)(t % 3 ? next_random(seed) : 255u * (i / spec.size_px * 8 / spec.size_px % 2));
}

/* Run noise and stripes by every kind of kernel, and compare answers and states with those of plain C. */
static void check_kernels(void) {
    for (size_t k = 0; ee_native_kernels_at(k); k++) {
        const char *name = ee_native_kernels_at(k)->name;
        if (!ee_native_is_usable(k)) {
            printf("%s: not on this processor\n", name);
            continue;
        }
        stream fast = open_stream(name), plain = open_stream("C");
        const size_t pixels = (size_t)spec.size_px * spec.size_px;
        const size_t state = (size_t)((uint8_t *)fast.memory - fast.buffers.states[0]);
        uint64_t seeds[2] = {7, 7};
        ee_error error;
        for (uint32_t t = 0; t < 8; t++) {
            draw(fast.buffers.frame, &seeds[0], t), draw(plain.buffers.frame, &seeds[1], t);
            CHECK(fast.engine->kind->run(fast.engine, fast.binding, t % 2, &error) == EDGEECHO_OK);
            CHECK(plain.engine->kind->run(plain.engine, plain.binding, t % 2, &error) == EDGEECHO_OK);
            CHECK(memcmp(fast.buffers.prob, plain.buffers.prob, pixels) == 0);
            CHECK(memcmp(fast.buffers.states[0], plain.buffers.states[0], state) == 0);
        }
        printf("%s: the bytes of C, state included\n", name);
        close_stream(&fast), close_stream(&plain);
    }
}

/* A plan of which one number was changed must be refused with this text. */
static void check_refusal(size_t at, uint32_t value, const char *text) {
    uint8_t *changed = malloc(graph_size);
    ee_error error;
    ee_engine *engine = NULL;
    const ee_engine_options options = {.threads = 1};
    CHECK(changed);
    memcpy(changed, graph, graph_size);
    put_u32(changed + at, value);
    const edgeecho_status status = ee_engine_open(&spec, changed, graph_size, &options, &engine, &error);
    if (status == EDGEECHO_OK || !strstr(error.text, text))
        fprintf(stderr, "number at %zu set to %u: status %d, '%s'\n", at, (unsigned)value, (int)status, error.text);
    CHECK(status != EDGEECHO_OK && !engine && strstr(error.text, text));
    free(changed);
}

static void check_refusals(void) {
    const size_t tensors = get_u32(graph + 16), steps = EE_PLAN_HEADER_BYTES + EE_PLAN_TENSOR_BYTES * tensors;
    const size_t convolution = steps + EE_PLAN_STEP_BYTES, numbers = convolution + 12 + 4 * EE_PLAN_MAX_SOURCES;
    const size_t constants = get_u32(graph + 32);
    check_refusal(8, 2, "another version");
    check_refusal(12, (uint32_t)graph_size + 1, "out of bounds");
    check_refusal(16, 1000, "out of bounds");
    check_refusal(EE_PLAN_HEADER_BYTES + 8, 4, "step 0 of the plan, frame");
    check_refusal(EE_PLAN_HEADER_BYTES + 4, 1u << 30, "tensor 0 of the plan");
    check_refusal(convolution, 9, "step 1 of the plan, of kind 9, is unknown");
    check_refusal(convolution + 4, 999, "step 1 of the plan, of kind 2");
    check_refusal(convolution + 12, 1u << 16, "step 1 of the plan, of kind 2");
    check_refusal(numbers, 5, "step 1 of the plan");
    check_refusal(numbers + 4, 0, "step 1 of the plan, convolution, is not one");
    check_refusal(numbers + 8, 9, "step 1 of the plan, convolution, is not one");
    check_refusal(numbers + 16, 0, "step 1 of the plan");
    check_refusal(constants, 0x7F7F7F7F, "convolution, is not one");
}

static int by_size(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void time_kernels(int frames) {
    uint64_t *ns = malloc((size_t)frames * sizeof *ns);
    CHECK(ns);
    for (size_t k = 0; ee_native_kernels_at(k); k++) {
        if (!ee_native_is_usable(k))
            continue;
        stream s = open_stream(ee_native_kernels_at(k)->name);
        const ee_native_engine *engine = (const ee_native_engine *)s.engine;
        uint64_t seed = 3, steps[EE_PLAN_MAX_STEPS] = {0};
        const ee_native_run run = {&engine->plan,      engine->kernels,     s.buffers.frame, s.buffers.prob,
                                   s.buffers.states[0], (uint8_t *)s.memory + ee_aligned(sizeof(ee_native_run)), steps};
        ee_error error;
        draw(s.buffers.frame, &seed, 1);
        for (int i = 0; i < frames; i++) {
            const uint64_t begun = ee_now_ns();
            CHECK(s.engine->kind->run(s.engine, s.binding, 0, &error) == EDGEECHO_OK);
            ns[i] = ee_now_ns() - begun;
            ee_native_run_frame(&run);
        }
        qsort(ns, (size_t)frames, sizeof *ns, by_size);
        printf("%s: median %.3f ms, least %.3f ms\n", engine->kernels->name, (double)ns[frames / 2] * 1e-6,
               (double)ns[0] * 1e-6);
        for (uint32_t i = 0; i < engine->plan.steps; i++)
            printf("  step %2u %8.1f us\n", (unsigned)i, (double)steps[i] * 1e-3 / frames);
        close_stream(&s);
    }
    free(ns);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    size_t size;
    ee_error error;
    uint8_t *bytes = read_whole(argv[1], &size);
    CHECK(ee_device_file_read(bytes, size, &spec, &graph, &graph_size, &error) == EDGEECHO_OK);
    CHECK(ee_is_plan(graph, graph_size));
    if (argc > 2) {
        time_kernels(argc > 3 ? atoi(argv[3]) : 300);
    } else {
        check_kernels();
        check_refusals();
    }
    free(bytes);
    return 0;
}
