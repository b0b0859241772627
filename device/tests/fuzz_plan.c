/*
 * Plans of the native engine that were changed at random, behind their checksums: the verifier must refuse what would read
 * or write outside of its memory, and the engine runs the rest.
 *
 *     fuzz_plan MODEL [PLANS SEED]
 *
 * With EE_LIBFUZZER and clang's -fsanitize=fuzzer it is a target of libFuzzer instead, with EE_FUZZ_MODEL in the
 * environment; an input is a list of changes: place and value, 4 bytes each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "native_stream.h"
#include "sealing.h"

static native_file file;
static size_t numbers_end; /* of tensors and steps, behind which are the constants */

/* Open a plan, and run two frames if it is not refused; 1 if it ran. */
static int try_plan(const uint8_t *plan, size_t size) {
    native_stream s = {0};
    native_file changed = file;
    ee_error error;
    const ee_engine_options options = {.threads = 1};
    if (ee_engine_open(&file.spec, plan, size, &options, &s.engine, &error) != EDGEECHO_OK) {
        CHECK(!s.engine && error.text[0]);
        return 0;
    }
    native_bind(&changed, &s);
    for (int t = 0; t < 2; t++)
        CHECK(s.engine->kind->run(s.engine, s.binding, 0, &error) == EDGEECHO_OK);
    native_close(&s);
    return 1;
}

#if defined(EE_LIBFUZZER)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!file.bytes)
        native_read(&file, getenv("EE_FUZZ_MODEL"));
    uint8_t *plan = malloc(file.size);
    CHECK(plan);
    memcpy(plan, file.graph, file.size);
    for (size_t i = 0; i + 8 <= size; i += 8)
        put_u32(plan + get_u32(data + i) % (file.size / 4) * 4, get_u32(data + i + 4));
    try_plan(plan, file.size);
    free(plan);
    return 0;
}

#else

/* Change some numbers of a plan: most of them in tensors and steps, to extremes or by little. */
static size_t change(uint8_t *plan, size_t size, uint64_t *seed) {
    static const uint32_t extremes[] = {0,  1,   2,   3,    4,     15,      16,         17,
                                        64, 255, 256, 1024, 65535, 1 << 20, 0x7fffffff, 0xffffffff};
    const uint32_t changes = 1 + below(seed, 4);
    for (uint32_t i = 0; i < changes; i++) {
        const size_t within = below(seed, 8) ? numbers_end : size - 3, at = below(seed, (uint32_t)(within / 4)) * 4;
        const uint32_t kind = below(seed, 4), now = get_u32(plan + at);
        put_u32(plan + at, kind == 0   ? extremes[below(seed, 16)]
                           : kind == 1 ? now + 1 + below(seed, 4)
                           : kind == 2 ? now - 1 - below(seed, 4)
                                       : get_u32(plan + below(seed, (uint32_t)(numbers_end / 4)) * 4));
    }
    return below(seed, 16) ? size : below(seed, (uint32_t)size);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const int plans = argc > 2 ? atoi(argv[2]) : 10000;
    uint64_t seed = argc > 3 ? (uint64_t)atoll(argv[3]) : 1;
    int ran = 0;
    native_read(&file, argv[1]);
    numbers_end = get_u32(file.graph + 32);
    for (int i = 0; i < plans; i++) {
        uint8_t *whole = malloc(file.size);
        CHECK(whole);
        memcpy(whole, file.graph, file.size);
        const size_t size = change(whole, file.size, &seed);
        uint8_t *exact = malloc(size + !size); /* a read past its end is seen by the sanitizer */
        CHECK(exact);
        memcpy(exact, whole, size);
        free(whole);
        ran += try_plan(exact, size);
        free(exact);
    }
    printf("%d changed plans: %d refused, %d ran\n", plans, plans - ran, ran);
    free(file.bytes);
    return 0;
}

#endif
