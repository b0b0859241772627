/*
 * Open device files that were changed at random; half of them with their checksum made right again.
 *
 *     fuzz_file MODEL [FILES SEED]
 *
 * A file that opens all the same is run for two frames and for its self-test.  A crash or a file that takes 20 s names
 * its number.
 */
#define _POSIX_C_SOURCE 200809L
#include <edgeecho.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sealing.h"
#include "testing.h"

enum { W = 64, H = 48, ERROR_BYTES = 100 };
static volatile sig_atomic_t current;

static void die(int signal_number) {
    char text[64] = "fuzz_file: signal 00 in file          \n";
    int n = current;
    text[18] = (char)('0' + signal_number / 10), text[19] = (char)('0' + signal_number % 10);
    for (int at = 37; n; n /= 10)
        text[at--] = (char)('0' + n % 10);
    (void)!write(2, text, 39);
    _exit(3);
}

/* Change a copy of a file somehow; returns its new size. */
static size_t mutate(uint8_t *bytes, size_t size, size_t header, uint64_t *seed) {
    static const uint32_t extremes[] = {0,   1,    2,     15,      16,         17,         255,
                                        256, 1024, 65536, 1 << 20, 0x7fffffff, 0x80000000, 0xffffffff};
    const uint32_t within = below(seed, 3) ? (uint32_t)header : (uint32_t)size;
    const uint32_t kind = below(seed, 9), changes = 1 + below(seed, 8);
    size_t a, b, n;
    switch (kind) {
    case 0: /* single bits */
        for (uint32_t i = 0; i < changes; i++)
            bytes[below(seed, within)] ^= (uint8_t)(1 << below(seed, 8));
        return size;
    case 1: /* bytes */
        for (uint32_t i = 0; i < changes; i++)
            bytes[below(seed, within)] = (uint8_t)next_random(seed);
        return size;
    case 2: /* a number of the header */
        put_u32(bytes + 8 + 4 * below(seed, (uint32_t)header / 4 - 2), extremes[below(seed, 14)]);
        return size;
    case 3: /* cut off */ return below(seed, (uint32_t)size);
    case 4: /* a piece over another one */
        n = below(seed, 256), a = below(seed, (uint32_t)(size - n)), b = below(seed, (uint32_t)(size - n));
        memmove(bytes + a, bytes + b, n);
        return size;
    case 5: /* a piece taken out */
        n = below(seed, 64), a = below(seed, (uint32_t)(size - n));
        memmove(bytes + a, bytes + a + n, size - a - n);
        return size - n;
    case 6: /* a number of the self-test, most often one of its first */
        n = selftest_at(bytes) + 4 * below(seed, below(seed, 4) ? 4 : 64);
        put_u32(bytes + n, below(seed, 2) ? extremes[below(seed, 14)] : below(seed, 20));
        return size;
    case 7: /* bits of the self-test */
        n = selftest_at(bytes), a = header - n;
        for (uint32_t i = 0; i < changes && a; i++)
            bytes[n + below(seed, (uint32_t)a)] ^= (uint8_t)(1 << below(seed, 8));
        return size;
    default: /* bits of the graph */
        for (uint32_t i = 0; i < changes; i++)
            bytes[header + below(seed, (uint32_t)(size - header))] ^= (uint8_t)(1 << below(seed, 8));
        return size;
    }
}

/* Run a file that opens all the same; 1 if two frames ran. Its self-test may end in any way but a crash. */
static int try_run(edgeecho_model *model, int tests[4]) {
    static uint8_t pixels[W * H];
    edgeecho_stream_options options = {sizeof options, W, H, 30, 0, 0, 0, 0, 0};
    edgeecho_frame frame = {.struct_size = sizeof frame, .pixels = pixels, .stride_bytes = W, .width = W, .height = H};
    edgeecho_stream *stream = NULL;
    edgeecho_selftest_result result = {.struct_size = sizeof result};
    edgeecho_status status = edgeecho_selftest(model, &result);
    CHECK(status == EDGEECHO_OK || status == EDGEECHO_MORE || status == EDGEECHO_E_SELFTEST || status < 0);
    CHECK(result.frames <= 16 && result.frames_different <= result.frames && result.first_different <= result.frames);
    CHECK((status == EDGEECHO_E_SELFTEST) == (result.frames_different > 0));
    tests[status == EDGEECHO_OK ? 0 : status == EDGEECHO_E_SELFTEST ? 1 : status == EDGEECHO_MORE ? 2 : 3]++;
    if (edgeecho_stream_create(model, &options, &stream) != EDGEECHO_OK)
        return 0;
    int ran = edgeecho_push(stream, &frame) >= 0 && edgeecho_push(stream, &frame) >= 0;
    edgeecho_stream_destroy(stream);
    return ran;
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const int files = argc > 2 ? atoi(argv[2]) : 10000;
    uint64_t seed = argc > 3 ? (uint64_t)atoll(argv[3]) : 1;
    size_t size;
    uint8_t *original = read_whole(argv[1], &size), *bytes = malloc(size);
    CHECK(bytes && size > 1024);
    const size_t header = get_u32(original + BEGINS_AT);
    CHECK(header + 256 <= size && selftest_at(original) <= header);
    edgeecho_model *first = NULL; /* keeps ONNX Runtime's environment, which takes most of the time of a lone open */
    CHECK(edgeecho_open(argv[1], NULL, &first) == EDGEECHO_OK);
    int counts[2][16] = {{0}}, tests[4] = {0}, ran = 0, opened = 0;
    signal(SIGALRM, die), signal(SIGSEGV, die), signal(SIGABRT, die), signal(SIGFPE, die), signal(SIGBUS, die);
    signal(SIGILL, die);
    for (current = 1; current <= files; current++) {
        memcpy(bytes, original, size);
        size_t changed = mutate(bytes, size, header, &seed);
        const int sealed = current % 2;
        if (sealed && changed > header) {
            if (below(&seed, 4)) /* most have the right size too */
                put_u32(bytes + GRAPH_SIZE_AT, (uint32_t)(changed - header));
            seal(bytes, changed);
        }
        uint8_t *exact = malloc(changed ? changed : 1); /* a read past its end is seen by the sanitizer */
        CHECK(exact);
        memcpy(exact, bytes, changed);
        edgeecho_model *model = NULL;
        char *error = malloc(ERROR_BYTES);
        edgeecho_open_options options = {.struct_size = sizeof options, .error = error, .error_size = ERROR_BYTES};
        CHECK(error);
        alarm(20);
        edgeecho_status status = edgeecho_open_memory(exact, changed, &options, &model);
        CHECK((status == EDGEECHO_OK) == (error[0] == 0) && memchr(error, 0, ERROR_BYTES));
        free(exact), free(error);
        CHECK(status <= 0 && status > -16 && (status == EDGEECHO_OK) == (model != NULL));
        counts[sealed][-status]++;
        if (model) {
            opened++;
            ran += try_run(model, tests);
            CHECK(edgeecho_close(model) == EDGEECHO_OK);
        }
        alarm(0);
    }
    printf("%d files, half with their checksum made right again\n", files);
    for (int sealed = 0; sealed < 2; sealed++)
        for (int status = 0; status < 16; status++)
            if (counts[sealed][status])
                printf("  checksum %s  %6d  %s\n", sealed ? "made right" : "as it was ", counts[sealed][status],
                       edgeecho_status_text(-status));
    printf("  of %d that opened, %d ran; self-test: %d proven, %d different, %d without, %d refused\n", opened, ran,
           tests[0], tests[1], tests[2], tests[3]);
    CHECK(edgeecho_close(first) == EDGEECHO_OK);
    free(bytes), free(original);
    return 0;
}
