/*
 * The self-test of files whose proven answers are right, altered, out of bounds or not there.
 *
 *     test_selftest MODEL...              any stream device file; the answers are proven anew on this processor
 *     test_selftest cine FRAMES > file    the test cine, for a comparison with Python's
 */
#include <edgeecho.h>
#include <pthread.h>
#include <string.h>

#include "sealing.h"
#include "selftest.h"
#include "stream.h"
#include "testing.h"

enum { W = EE_TEST_WIDTH, H = EE_TEST_HEIGHT, FRAMES = 6 };

typedef struct file { /* of version 2, with a self-test that this processor passes */
    uint8_t *bytes;
    size_t size, test; /* where the self-test begins */
    size_t reference;  /* and the reference of its first frame */
    size_t values;     /* of `prob` in a frame */
} file;

static edgeecho_frame frame_of(const uint8_t *pixels) {
    return (edgeecho_frame){.struct_size = sizeof(edgeecho_frame),
                            .pixels = pixels,
                            .stride_bytes = W,
                            .width = W,
                            .height = H,
                            .roi_x = 0,
                            .roi_y = -8,
                            .roi_width = W,
                            .roi_height = W};
}

static edgeecho_stream *stream_of(edgeecho_model *model) {
    const edgeecho_stream_options options = {sizeof options, W, H, 30, 0, 0, 0, 0, 0};
    edgeecho_stream *stream = NULL;
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    return stream;
}

/* Push frame t of a test cine, or flush behind the last; 0 once there are no more answers. */
static int step(edgeecho_stream *stream, uint32_t t, uint32_t frames, edgeecho_status *status) {
    static uint8_t pixels[W * H];
    const edgeecho_frame frame = frame_of(pixels);
    ee_test_frame(t, pixels);
    *status = t < frames ? edgeecho_push(stream, &frame) : edgeecho_flush(stream);
    CHECK(*status >= 0);
    return t < frames || *status == EDGEECHO_OK;
}

/* Write the answers of this processor into the file. */
static void prove(const file *f, uint32_t frames, int with_reference) {
    edgeecho_model *model;
    edgeecho_status status;
    edgeecho_result result = {.struct_size = sizeof result};
    static uint8_t mask[W * H];
    CHECK(edgeecho_open_memory(f->bytes, f->size, NULL, &model) == EDGEECHO_OK);
    edgeecho_stream *stream = stream_of(model);
    uint32_t answers = 0;
    for (uint32_t t = 0; step(stream, t, frames, &status); t++) {
        if (status != EDGEECHO_OK)
            continue;
        CHECK(edgeecho_read(stream, &result) == EDGEECHO_OK && result.frame == answers && answers < frames);
        CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_OK);
        uint8_t *proven = f->bytes + f->test + PROVEN_AT + PROVEN_BYTES * answers;
        digest_of(stream->network.prob, f->values, proven);
        digest_of(mask, sizeof mask, proven + 32);
        put_u32(proven + 64, (uint32_t)result.area_px);
        if (with_reference)
            memcpy(f->bytes + f->reference + answers * f->values, stream->network.prob, f->values);
        answers++;
    }
    CHECK(answers == frames);
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
}

/* Make a file of version 2 around the graph of `original`, whatever version that has. */
static file make(const uint8_t *original, size_t size, uint32_t frames, uint32_t max_levels) {
    const size_t begins = get_u32(original + BEGINS_AT), graph = size - begins;
    const size_t side = get_u32(original + SPEC_AT);
    file f = {.test = selftest_at(original), .values = side * side};
    f.reference = f.test + PROVEN_AT + PROVEN_BYTES * frames;
    const size_t header = (f.reference + (max_levels ? frames * f.values : 0) + 63) / 64 * 64;
    f.size = header + graph;
    f.bytes = calloc(f.size, 1);
    CHECK(f.bytes);
    memcpy(f.bytes, original, f.test);
    memcpy(f.bytes + header, original + begins, graph);
    put_u32(f.bytes + VERSION_AT, 2);
    put_u32(f.bytes + BEGINS_AT, (uint32_t)header);
    seal(f.bytes, f.size); /* with the zeros of a file that has no self-test */
    prove(&f, frames, max_levels > 0);
    const uint32_t head[3] = {1, frames, max_levels};
    for (size_t i = 0; i < 3; i++)
        put_u32(f.bytes + f.test + 4 * i, head[i]);
    seal(f.bytes, f.size);
    return f;
}

static edgeecho_selftest_result fresh(void) {
    edgeecho_selftest_result result;
    memset(&result, 0xa5, sizeof result);
    result.struct_size = sizeof result;
    return result;
}

static edgeecho_status test_bytes(const uint8_t *bytes, size_t size, edgeecho_selftest_result *result) {
    edgeecho_model *model;
    *result = fresh();
    CHECK(edgeecho_open_memory(bytes, size, NULL, &model) == EDGEECHO_OK);
    const edgeecho_status status = edgeecho_selftest(model, result);
    CHECK(edgeecho_close(model) == EDGEECHO_OK); /* its stream is gone */
    CHECK(result->struct_size == sizeof *result);
    return status;
}

static int is_zeros(const edgeecho_selftest_result *result) {
    const edgeecho_selftest_result zeros = {.struct_size = sizeof zeros};
    return memcmp(result, &zeros, sizeof zeros) == 0;
}

static int found(const edgeecho_selftest_result *r, uint32_t frames, uint32_t different, uint32_t first,
                 uint32_t levels, uint32_t area) {
    return r->frames == frames && r->frames_different == different && r->first_different == first &&
           r->levels == levels && r->area_difference_px == area && r->elapsed_ns > 0;
}

/* Change a number, seal, and open: refused.  Then put it back. */
static void check_refused(const file *f, size_t at, uint32_t value) {
    edgeecho_model *model;
    const uint32_t before = get_u32(f->bytes + at);
    put_u32(f->bytes + at, value);
    seal(f->bytes, f->size);
    CHECK(edgeecho_open_memory(f->bytes, f->size, NULL, &model) == EDGEECHO_E_MODEL && !model);
    put_u32(f->bytes + at, before);
    seal(f->bytes, f->size);
}

static void check_none(const uint8_t *original, size_t size) {
    edgeecho_selftest_result result;
    file f = make(original, size, 1, 0);
    for (size_t i = 0; i < 3; i++)
        put_u32(f.bytes + f.test + 4 * i, 0);
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &result) == EDGEECHO_MORE && is_zeros(&result));
    check_refused(&f, f.test + 4, 1);
    check_refused(&f, f.test + 8, 1);
    check_refused(&f, f.test + 12, 1);
    put_u32(f.bytes + GRAPH_SIZE_AT, (uint32_t)(f.size - f.test - 15)); /* zeros, of which the graph takes the last */
    check_refused(&f, BEGINS_AT, (uint32_t)f.test + 15);
    put_u32(f.bytes + GRAPH_SIZE_AT, (uint32_t)f.size - get_u32(f.bytes + BEGINS_AT));
    put_u32(f.bytes + f.test, 0xffffffff); /* version 1: what lies behind the tensors is nothing to it */
    put_u32(f.bytes + VERSION_AT, 1);
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &result) == EDGEECHO_MORE && is_zeros(&result));
    edgeecho_model *model;
    const uint32_t others[] = {0, 3, 0xffffffff};
    for (int i = 0; i < 3; i++) {
        put_u32(f.bytes + VERSION_AT, others[i]);
        seal(f.bytes, f.size);
        CHECK(edgeecho_open_memory(f.bytes, f.size, NULL, &model) == EDGEECHO_E_FORMAT);
    }
    free(f.bytes);
}

static void check_digests(const uint8_t *original, size_t size) {
    edgeecho_selftest_result r;
    file f = make(original, size, FRAMES, 0);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_OK && found(&r, FRAMES, 0, FRAMES, 0, 0) && !r.max_levels);
    uint8_t *proven[FRAMES];
    for (size_t t = 0; t < FRAMES; t++)
        proven[t] = f.bytes + f.test + PROVEN_AT + PROVEN_BYTES * t;
    proven[3][31] ^= 1; /* the digest of prob */
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, 1, 3, UINT32_MAX, 0));
    proven[5][0] ^= 0x80;
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, 2, 3, UINT32_MAX, 0));
    proven[3][31] ^= 1, proven[5][0] ^= 0x80, proven[0][32] ^= 1; /* the digest of a mask alone */
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, 1, 0, 0, 0));
    proven[0][32] ^= 1;
    const uint32_t area = get_u32(proven[4] + 64), other = area < W * H / 2 ? area + 7 : area - 7;
    put_u32(proven[4] + 64, other); /* an area alone */
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, 1, 4, 0, 7));
    put_u32(proven[4] + 64, area);
    for (size_t t = 0; t < FRAMES; t++)
        proven[t][5] ^= 1;
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, FRAMES, 0, UINT32_MAX, 0));
    free(f.bytes);
}

static void check_tolerance(const uint8_t *original, size_t size) {
    enum { LEVELS = 3, AT = 2 };
    edgeecho_selftest_result r;
    file f = make(original, size, FRAMES, LEVELS);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_OK && found(&r, FRAMES, 0, FRAMES, 0, 0));
    CHECK(r.max_levels == LEVELS);
    for (size_t t = 0; t < FRAMES; t++) /* digests and areas are information only */
        memset(f.bytes + f.test + PROVEN_AT + PROVEN_BYTES * t, 0x11, 64);
    uint8_t *area = f.bytes + f.test + PROVEN_AT + PROVEN_BYTES * AT + 64;
    put_u32(area, get_u32(area) + 5);
    uint8_t *value = f.bytes + f.reference + AT * f.values + f.values - 1; /* the last of its frame */
    const int up = *value < 128 ? 1 : -1;
    const uint8_t right = *value;
    *value = (uint8_t)(right + up * LEVELS);
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_OK && found(&r, FRAMES, 0, FRAMES, LEVELS, 5));
    *value = (uint8_t)(right + up * (LEVELS + 1));
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_E_SELFTEST && found(&r, FRAMES, 1, AT, LEVELS + 1, 5));
    put_u32(f.bytes + f.test + 8, 255); /* allows anything */
    seal(f.bytes, f.size);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_OK && r.max_levels == 255);
    check_refused(&f, f.test + 8, 256);
    check_refused(&f, f.test + 4, EE_MAX_TEST_FRAMES);
    free(f.bytes);
}

static void check_bounds(const uint8_t *original, size_t size) {
    edgeecho_selftest_result r;
    file f = make(original, size, EE_MAX_TEST_FRAMES, 0);
    CHECK(test_bytes(f.bytes, f.size, &r) == EDGEECHO_OK && found(&r, EE_MAX_TEST_FRAMES, 0, EE_MAX_TEST_FRAMES, 0, 0));
    const uint8_t *last = f.bytes + f.test + PROVEN_AT + PROVEN_BYTES * (EE_MAX_TEST_FRAMES - 1);
    CHECK(get_u32(last + 64) > 0); /* the network finds the ventricle: no comparison of empty masks */
    check_refused(&f, f.test, 2);
    check_refused(&f, f.test, 0);
    check_refused(&f, f.test + 4, 0);
    check_refused(&f, f.test + 4, EE_MAX_TEST_FRAMES + 1);
    check_refused(&f, f.test + 4, 0xffffffff);
    check_refused(&f, f.test + 8, 1); /* a reference that is not there */
    check_refused(&f, f.test + 8, 0xffffffff);
    check_refused(&f, f.test + 12, 1);
    check_refused(&f, f.test + PROVEN_AT + 64, W * H + 1);
    check_refused(&f, f.test + PROVEN_AT + 68, 1);
    check_refused(&f, (size_t)(last + 68 - f.bytes), 1);
    /* a graph that begins inside the block, and inside its first numbers */
    const size_t inside[] = {f.test, f.test + 15, f.test + PROVEN_AT, (size_t)(last - f.bytes) + PROVEN_BYTES - 1};
    for (int i = 0; i < 4; i++) {
        put_u32(f.bytes + GRAPH_SIZE_AT, (uint32_t)(f.size - inside[i]));
        check_refused(&f, BEGINS_AT, (uint32_t)inside[i]);
    }
    free(f.bytes);
    f = make(original, size, EE_MAX_TEST_FRAMES, 1); /* room for more frames, where the reference was */
    memset(f.bytes + f.reference, 0, PROVEN_BYTES);
    put_u32(f.bytes + f.test + 8, 0);
    check_refused(&f, f.test + 4, EE_MAX_TEST_FRAMES + 1);
    free(f.bytes);
}

static void *test_in_thread(void *model) {
    edgeecho_selftest_result result = fresh();
    return edgeecho_selftest(model, &result) == EDGEECHO_OK ? model : NULL;
}

static void check_calls(const uint8_t *original, size_t size) {
    file f = make(original, size, FRAMES, 2);
    edgeecho_model *model;
    edgeecho_selftest_result r = fresh();
    CHECK(edgeecho_open_memory(f.bytes, f.size, NULL, &model) == EDGEECHO_OK);
    memset(f.bytes, 0, f.size); /* nothing passed in is kept */
    CHECK(edgeecho_selftest(model, &r) == EDGEECHO_OK && r.levels == 0);
    free(f.bytes);
    CHECK(edgeecho_selftest(NULL, &r) == EDGEECHO_E_ARGUMENT);
    CHECK(edgeecho_selftest(model, NULL) == EDGEECHO_E_ARGUMENT);
    r.struct_size--;
    CHECK(edgeecho_selftest(model, &r) == EDGEECHO_E_ARGUMENT);
    /* beside a stream in the midst of its cine, which goes on as if nothing had been */
    edgeecho_stream *alone = stream_of(model), *beside = stream_of(model);
    edgeecho_status status;
    for (uint32_t t = 0; step(alone, t, 12, &status); t++) {
        edgeecho_status other;
        CHECK(step(beside, t, 12, &other) && other == status);
        r = fresh();
        CHECK(t % 5 || edgeecho_selftest(model, &r) == EDGEECHO_OK);
        CHECK(memcmp(alone->network.prob, beside->network.prob,
                     (size_t)alone->model->spec.size_px * alone->model->spec.size_px) == 0);
        CHECK(alone->area_px == beside->area_px);
    }
    edgeecho_stream_destroy(alone);
    edgeecho_stream_destroy(beside);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, test_in_thread, model) == 0);
    for (int i = 0; i < 3; i++) {
        void *passed;
        CHECK(pthread_join(threads[i], &passed) == 0 && passed);
    }
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
}

static void write_cine(uint32_t frames) {
    static uint8_t pixels[W * H];
    for (uint32_t t = 0; t < frames; t++) {
        ee_test_frame(t, pixels);
        CHECK(fwrite(pixels, 1, sizeof pixels, stdout) == sizeof pixels);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    if (argc > 2 && strcmp(argv[1], "cine") == 0) {
        write_cine((uint32_t)atoi(argv[2]));
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *original = read_whole(argv[i], &size);
        edgeecho_model *first; /* keeps ONNX Runtime's environment from one open to the next */
        CHECK(edgeecho_open(argv[i], NULL, &first) == EDGEECHO_OK);
        check_none(original, size);
        check_digests(original, size);
        check_tolerance(original, size);
        check_bounds(original, size);
        check_calls(original, size);
        CHECK(edgeecho_close(first) == EDGEECHO_OK);
        free(original);
    }
    return 0;
}
