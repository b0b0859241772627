#include "run.h"

#include <string.h>

#include "../../os.h"

/* A frame of a tensor, so many frames ago. */
static uint8_t *frame_of(const ee_native_run *run, uint32_t tensor, uint32_t age) {
    const ee_native_tensor *t = &run->plan->tensor[tensor];
    if (t->place == EE_IS_ANSWER)
        return run->prob;
    if (t->place == EE_IN_ARENA)
        return run->arena + t->at;
    const uint32_t newest = run->state[t->ring] % t->slots; /* the clock is the state's first tensor */
    return run->state + t->at + (newest + t->slots - age) % t->slots * t->slot_bytes;
}

/* The first pixel of row `y` inside the halo. */
static uint8_t *row_of(const ee_native_tensor *t, uint8_t *frame, uint32_t y) {
    return frame + (y + t->halo) * t->row_bytes + (size_t)t->halo * t->channels;
}

/* Fill the halo about the picture that a step has written. */
static void fill_halo(const ee_native_tensor *t, uint8_t *frame) {
    const size_t side = (size_t)t->halo * t->channels;
    if (!side)
        return;
    const int zero = (int)t->zero_point;
    memset(frame, zero, t->halo * t->row_bytes + side);
    for (uint32_t y = 0; y + 1 < t->height; y++) /* the right side of a row and the left one of the next */
        memset(row_of(t, frame, y) + (size_t)t->width * t->channels, zero, 2 * side);
    memset(row_of(t, frame, t->height - 1) + (size_t)t->width * t->channels, zero, side + t->halo * t->row_bytes);
}

static void take_frame(const ee_native_run *run, const ee_native_step *s) {
    const ee_native_tensor *t = &run->plan->tensor[s->output];
    uint8_t *out = frame_of(run, s->output, 0);
    for (uint32_t y = 0; y < t->height; y++)
        memcpy(row_of(t, out, y), run->frame + (size_t)y * t->width, t->width);
    fill_halo(t, out);
}

/* Whether the pictures of a convolution lie without gaps, so that all of their rows are one. */
static int is_flat(const ee_plan *plan, const ee_native_step *s) {
    int flat = s->kernel == 1 && s->stride == 1 && !s->pad && !plan->tensor[s->output].halo;
    for (uint32_t i = 0; i < s->sources; i++)
        flat = flat && !plan->tensor[s->source[i]].halo;
    return flat;
}

static void convolve(const ee_native_run *run, const ee_native_step *s) {
    const ee_native_tensor *out = &run->plan->tensor[s->output], *in = &run->plan->tensor[s->source[0]];
    uint8_t *const result = frame_of(run, s->output, 0);
    const int flat = is_flat(run->plan, s);
    ee_convolution_row row = {.runs = ee_plan_runs(s),
                              .quads = s->quads,
                              .step = (size_t)s->stride * in->channels,
                              .pixels = flat ? out->width * out->height : out->width,
                              .channels = out->channels,
                              .weights = s->weights,
                              .bias = s->bias,
                              .bias_128 = s->bias_128,
                              .scale = s->scale,
                              .zero_point = (uint8_t)out->zero_point};
    for (uint32_t y = 0; y < (flat ? 1 : out->height); y++) {
        for (uint32_t r = 0; r < row.runs; r++) {
            const uint32_t from = s->sources > 1 ? r : 0, below = s->sources > 1 ? 0 : r;
            const ee_native_tensor *t = &run->plan->tensor[s->source[from]];
            const uint8_t *frame = frame_of(run, s->source[from], s->age[from]);
            const uint32_t top = t->halo - s->pad;
            row.run[r] = frame + (y * s->stride + below + top) * t->row_bytes + (size_t)top * t->channels;
        }
        row.out = row_of(out, result, y);
        run->kernels->convolution(&row);
    }
    fill_halo(out, result);
}

static void add(const ee_native_run *run, const ee_native_step *s) {
    const ee_plan *plan = run->plan;
    const ee_native_tensor *out = &plan->tensor[s->output], *a = &plan->tensor[s->source[0]];
    const ee_native_tensor *b = &plan->tensor[s->source[1]];
    uint8_t *from_a = frame_of(run, s->source[0], s->age[0]), *from_b = frame_of(run, s->source[1], s->age[1]);
    uint8_t *const result = frame_of(run, s->output, 0);
    ee_addition_row row = {.pixels = out->width,
                           .channels = out->channels,
                           .factor = s->factor,
                           .ratio_a = s->ratio[0],
                           .ratio_b = s->ratio[1]};
    row.offset = (float)out->zero_point - (float)a->zero_point * s->ratio[0] - (float)b->zero_point * s->ratio[1];
    for (uint32_t y = 0; y < out->height; y++) {
        row.a = row_of(a, from_a, y / s->factor);
        row.b = row_of(b, from_b, y);
        row.out = row_of(out, result, y);
        run->kernels->addition(&row);
    }
    fill_halo(out, result);
}

/* Shuffle the channels of each pixel of a row to a square of pixels, and look up the answers. */
static inline void shuffle(const uint8_t *pixel, uint32_t pixels, const uint8_t *table, uint8_t *to, uint32_t factor) {
    const size_t row_bytes = (size_t)pixels * factor;
    for (uint32_t x = 0; x < pixels; x++, pixel += factor * factor, to += factor)
        for (uint32_t i = 0; i < factor; i++)
            for (uint32_t j = 0; j < factor; j++)
                to[i * row_bytes + j] = table[pixel[i * factor + j]];
}

static void finish(const ee_native_run *run, const ee_native_step *s) {
    const ee_native_tensor *in = &run->plan->tensor[s->source[0]];
    uint8_t *frame = frame_of(run, s->source[0], s->age[0]);
    for (uint32_t y = 0; y < in->height; y++) {
        const uint8_t *row = row_of(in, frame, y);
        uint8_t *to = run->prob + (size_t)y * s->factor * s->factor * in->width;
        if (s->factor == 4) /* constants, for the compiler to unroll */
            shuffle(row, in->width, s->table, to, 4);
        else if (s->factor == 2)
            shuffle(row, in->width, s->table, to, 2);
        else
            shuffle(row, in->width, s->table, to, s->factor);
    }
}

void ee_native_run_frame(const ee_native_run *run) {
    const ee_plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->tensors; i++) /* each ring's newest frame becomes the one before */
        if (plan->tensor[i].place == EE_IN_STATE)
            run->state[plan->tensor[i].ring] =
                (uint8_t)((run->state[plan->tensor[i].ring] + 1u) % plan->tensor[i].slots);
    for (uint32_t i = 0; i < plan->steps; i++) {
        const uint64_t begun = run->step_ns ? ee_now_ns() : 0;
        const ee_native_step *s = &plan->step[i];
        if (s->kind == EE_STEP_FRAME)
            take_frame(run, s);
        else if (s->kind == EE_STEP_CONVOLUTION)
            convolve(run, s);
        else if (s->kind == EE_STEP_ADDITION)
            add(run, s);
        else
            finish(run, s);
        if (run->step_ns)
            run->step_ns[i] += ee_now_ns() - begun;
    }
}
