/*
 * The native engine: kernels that agree, and plans that are refused by name.
 *
 *     test_native MODEL             checks a native device file on every kind of kernel that this processor runs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native_stream.h"
#include "sealing.h"
#include "testing.h"

static native_file file;

static void draw(uint8_t *frame, uint64_t *seed, uint32_t t) {
    for (uint32_t i = 0; i < file.spec.size_px * file.spec.size_px; i++)
        frame[i] = (uint8_t)(t % 3 ? next_random(seed) : 255u * (i / file.spec.size_px * 8 / file.spec.size_px % 2));
}

/* Run noise and stripes by every kind of kernel, and compare answers and states with those of plain C. */
static void check_kernels(void) {
    for (size_t k = 0; ee_native_kernels_at(k); k++) {
        const char *name = ee_native_kernels_at(k)->name;
        if (!ee_native_is_usable(k)) {
            printf("%s: not on this processor\n", name);
            continue;
        }
        native_stream fast = native_open(&file, name), plain = native_open(&file, "C");
        const size_t pixels = (size_t)file.spec.size_px * file.spec.size_px;
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
        native_close(&fast), native_close(&plain);
    }
}

/* A plan of which one number was changed must be refused with this text. */
static void check_refusal(size_t at, uint32_t value, const char *text) {
    uint8_t *changed = malloc(file.size);
    ee_error error;
    ee_engine *engine = NULL;
    const ee_engine_options options = {.threads = 1};
    CHECK(changed);
    memcpy(changed, file.graph, file.size);
    put_u32(changed + at, value);
    const edgeecho_status status = ee_engine_open(&file.spec, changed, file.size, &options, &engine, &error);
    if (status == EDGEECHO_OK || !strstr(error.text, text))
        fprintf(stderr, "number at %zu set to %u: status %d, '%s'\n", at, (unsigned)value, (int)status, error.text);
    CHECK(status != EDGEECHO_OK && !engine && strstr(error.text, text));
    free(changed);
}

static void check_refusals(void) {
    const size_t tensors = get_u32(file.graph + 16), steps = EE_PLAN_HEADER_BYTES + EE_PLAN_TENSOR_BYTES * tensors;
    const size_t convolution = steps + EE_PLAN_STEP_BYTES, numbers = convolution + 12 + 4 * EE_PLAN_MAX_SOURCES;
    const size_t constants = get_u32(file.graph + 32);
    check_refusal(8, 2, "another version");
    check_refusal(12, (uint32_t)file.size + 1, "out of bounds");
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

int main(int argc, char **argv) {
    CHECK(argc > 1);
    native_read(&file, argv[1]);
    check_kernels();
    check_refusals();
    free(file.bytes);
    return 0;
}
