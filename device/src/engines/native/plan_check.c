/* What a step must be for its kernel to read and write inside of its tensors, and for its sums to fit into 32 bits. */
#include <stdlib.h>

#include "plan.h"

static int is_picture_of(const ee_native_tensor *t, uint32_t height, uint32_t width) {
    return t->height == height && t->width == width;
}

static int check_frame(const ee_plan *plan, const ee_native_step *s) {
    const ee_native_tensor *out = &plan->tensor[s->output];
    const ee_native_tensor *answer = &plan->tensor[plan->tensors - 1];
    return s->sources == 0 && out->channels == 1 && out->place == EE_IN_ARENA && answer->place == EE_IS_ANSWER &&
           is_picture_of(out, answer->height, answer->width);
}

/* Whether the sum of an output channel stays within 32 bits, for whatever bytes are read, and its weights in 7 bits. */
static int check_channel(const ee_native_step *s, uint32_t channel) {
    const size_t run_bytes = (size_t)s->quads * EE_BLOCK * EE_QUAD;
    const uint32_t runs = ee_plan_runs(s);
    const int8_t *weights = s->weights + channel / EE_BLOCK * runs * run_bytes + channel % EE_BLOCK * EE_QUAD;
    int64_t sum = 0, magnitude = 0;
    for (size_t at = 0; at < runs * run_bytes; at += EE_BLOCK * EE_QUAD)
        for (int i = 0; i < EE_QUAD; i++) {
            const int w = weights[at + i];
            if (abs(w) > EE_PLAN_MAX_WEIGHT)
                return 0;
            sum += w;
            magnitude += abs(w);
        }
    const int64_t bias = s->bias[channel], limit = INT32_MAX;
    return llabs(bias) + 255 * magnitude <= limit && s->bias_128[channel] == bias + 128 * sum &&
           llabs(bias + 128 * sum) + 128 * magnitude <= limit && s->scale[channel] > 0 && s->scale[channel] <= 1;
}

static int check_convolution(const ee_plan *plan, const ee_native_step *s) {
    const ee_native_tensor *out = &plan->tensor[s->output];
    if (s->sources < 1 || s->stride < 1 || s->stride > EE_PLAN_MAX_KERNEL || s->pad > EE_PLAN_MAX_KERNEL ||
        out->channels % EE_QUAD || (s->sources > 1 && (s->kernel != 1 || s->stride != 1 || s->pad)))
        return 0;
    for (uint32_t i = 0; i < s->sources; i++) {
        const ee_native_tensor *in = &plan->tensor[s->source[i]], *first = &plan->tensor[s->source[0]];
        const uint32_t padded_height = in->height + 2 * s->pad, padded_width = in->width + 2 * s->pad;
        if (in->place == EE_IS_ANSWER || in->channels != first->channels || in->halo < s->pad ||
            padded_height < s->kernel || padded_width < s->kernel ||
            (padded_height - s->kernel) / s->stride + 1 != out->height ||
            (padded_width - s->kernel) / s->stride + 1 != out->width ||
            s->quads != (s->kernel * in->channels + EE_QUAD - 1) / EE_QUAD)
            return 0;
    }
    const uint32_t channels = (out->channels + EE_BLOCK - 1) / EE_BLOCK * EE_BLOCK;
    for (uint32_t c = 0; c < channels; c++)
        if (!check_channel(s, c))
            return 0;
    return 1;
}

static int check_addition(const ee_plan *plan, const ee_native_step *s) {
    const ee_native_tensor *out = &plan->tensor[s->output];
    if (s->sources != 2 || (s->factor != 1 && s->factor != 2) || out->channels % EE_QUAD)
        return 0;
    for (int i = 0; i < 2; i++) {
        const ee_native_tensor *in = &plan->tensor[s->source[i]];
        const uint32_t factor = i ? 1 : s->factor;
        if (in->place == EE_IS_ANSWER || in->channels != out->channels ||
            !is_picture_of(out, in->height * factor, in->width * factor) || !(s->ratio[i] > 0 && s->ratio[i] <= 1024))
            return 0;
    }
    return 1;
}

static int check_head(const ee_plan *plan, const ee_native_step *s) {
    const ee_native_tensor *out = &plan->tensor[s->output], *in = &plan->tensor[s->source[0]];
    return s->sources == 1 && s->factor >= 1 && s->factor <= 8 && in->place != EE_IS_ANSWER &&
           in->channels == s->factor * s->factor && is_picture_of(out, in->height * s->factor, in->width * s->factor);
}

int ee_plan_check_step(const ee_plan *plan, uint32_t number, ee_error *error) {
    static const char *const names[] = {"", "frame", "convolution", "addition", "head"};
    const ee_native_step *s = &plan->step[number];
    const int is_answer = plan->tensor[s->output].place == EE_IS_ANSWER;
    int holds = is_answer == (s->kind == EE_STEP_HEAD);
    if (s->kind == EE_STEP_FRAME)
        holds = holds && check_frame(plan, s);
    else if (s->kind == EE_STEP_CONVOLUTION)
        holds = holds && check_convolution(plan, s);
    else if (s->kind == EE_STEP_ADDITION)
        holds = holds && check_addition(plan, s);
    else
        holds = holds && check_head(plan, s);
    if (!holds)
        ee_set_error(error, "step %u of the plan, %s, is not one that the native engine has a kernel for",
                     (unsigned)number, names[s->kind]);
    return holds;
}
