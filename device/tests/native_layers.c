/*
 * The time of each step of a native device file, by each kind of kernel that this processor runs.
 *
 *     native_layers MODEL [FRAMES]
 *
 * A step's time is the least of all frames, and that of a frame their median.  The ceiling is a row of 56 pixels with 48 output
 * channels from 512 inputs, which with their weights stay in the first cache, by the same kernels.
 */
#include <stdio.h>
#include <stdlib.h>

#include "native_stream.h"

enum { CHANNELS = 48, INPUTS = 512, PIXELS = 56, ROWS = 64, RUNS = 9 }; /* of the ceiling */

static int by_size(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Multiply-accumulates a nanosecond of a row whose inputs and weights stay in the first cache. */
static double ceiling(const ee_native_kernels *kernels) {
    static uint8_t in[INPUTS + EE_PLAN_SLACK], out[PIXELS * CHANNELS];
    static int8_t weights[CHANNELS * INPUTS];
    static int32_t bias[CHANNELS];
    static float scale[CHANNELS];
    const ee_convolution_row row = {.run = {in},
                                    .runs = 1,
                                    .quads = INPUTS / EE_QUAD,
                                    .step = 0, /* every pixel reads the same inputs */
                                    .pixels = PIXELS,
                                    .channels = CHANNELS,
                                    .weights = weights,
                                    .bias = bias,
                                    .bias_128 = bias,
                                    .scale = scale,
                                    .out = out};
    uint64_t least = UINT64_MAX;
    memset(in, 1, sizeof in), memset(weights, 1, sizeof weights); /* pages of their own */
    for (int i = 0; i < RUNS; i++) {
        const uint64_t begun = ee_now_ns();
        for (int y = 0; y < ROWS; y++)
            kernels->convolution(&row);
        const uint64_t ns = ee_now_ns() - begun;
        least = ns < least ? ns : least;
    }
    return (double)ROWS * PIXELS * CHANNELS * INPUTS / (double)least;
}

static void print_step(const ee_plan *plan, uint32_t i, uint64_t ns, double peak) {
    static const char *const names[] = {"", "frame", "convolution", "addition", "head"};
    const ee_native_step *s = &plan->step[i];
    const ee_native_tensor *out = &plan->tensor[s->output];
    printf("  %-12s %3u x %-3u %3u channels  %7.1f us", names[s->kind], (unsigned)out->height, (unsigned)out->width,
           (unsigned)out->channels, (double)ns * 1e-3);
    if (s->kind == EE_STEP_CONVOLUTION) {
        const double macs = (double)out->height * out->width * out->channels * plan->tensor[s->source[0]].channels *
                            s->kernel * s->kernel * s->sources;
        printf("  %u x %u from %3u  %6.1f MMAC  %6.1f GMAC/s  %3.0f%%", (unsigned)s->kernel, (unsigned)s->kernel,
               (unsigned)(plan->tensor[s->source[0]].channels * s->sources), macs * 1e-6, macs / (double)ns,
               100 * macs / (double)ns / peak);
    }
    printf("\n");
}

static void time_kernels(const native_file *file, const char *name, int frames) {
    native_stream s = native_open(file, name);
    const ee_native_engine *engine = (const ee_native_engine *)s.engine;
    uint64_t *ns = malloc((size_t)frames * sizeof *ns), least[EE_PLAN_MAX_STEPS], seed = 3;
    uint8_t *arena = (uint8_t *)s.memory + ee_aligned(sizeof(ee_native_run));
    ee_error error;
    CHECK(ns);
    for (uint32_t i = 0; i < file->spec.size_px * file->spec.size_px; i++)
        s.buffers.frame[i] = (uint8_t)next_random(&seed);
    memset(least, 255, sizeof least);
    for (int k = 0; k < frames; k++) {
        uint64_t steps[EE_PLAN_MAX_STEPS] = {0};
        const ee_native_run run = {
            &engine->plan, engine->kernels, s.buffers.frame, s.buffers.prob, s.buffers.states[0], arena, steps};
        const uint64_t begun = ee_now_ns();
        CHECK(s.engine->kind->run(s.engine, s.binding, 0, &error) == EDGEECHO_OK);
        ns[k] = ee_now_ns() - begun;
        ee_native_run_frame(&run);
        for (uint32_t i = 0; i < engine->plan.steps; i++)
            least[i] = steps[i] < least[i] ? steps[i] : least[i];
    }
    qsort(ns, (size_t)frames, sizeof *ns, by_size);
    const double peak = ceiling(engine->kernels);
    printf("%s: a frame in %.3f ms (median of %d), %.3f ms (least); ceiling %.1f GMAC/s\n", name,
           (double)ns[frames / 2] * 1e-6, frames, (double)ns[0] * 1e-6, peak);
    for (uint32_t i = 0; i < engine->plan.steps; i++)
        print_step(&engine->plan, i, least[i], peak);
    free(ns);
    native_close(&s);
}

int main(int argc, char **argv) {
    native_file file;
    CHECK(argc > 1);
    native_read(&file, argv[1]);
    for (size_t k = 0; ee_native_kernels_at(k); k++)
        if (ee_native_is_usable(k))
            time_kernels(&file, ee_native_kernels_at(k)->name, argc > 2 ? atoi(argv[2]) : 200);
    free(file.bytes);
    return 0;
}
