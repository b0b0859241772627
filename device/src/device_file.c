#include "device_file.h"

#include <string.h>

#include "sha256.h"

enum {
    SELFTEST_VERSION = 2, /* first version whose files may have a self-test */
    MAX_RANK = 4
};

static uint32_t u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t u64(const uint8_t *at) {
    return u32(at) | (uint64_t)u32(at + 4) << 32;
}

/* Copy the text field at `*at` and move behind it; 0 unless it ends in zeros and contains no control characters. */
static int read_text(const uint8_t **at, char *text, size_t size) {
    const uint8_t *from = *at;
    size_t length = 0;
    *at += size;
    while (length < size && from[length])
        if (from[length] < 32 || from[length++] == 127)
            return 0;
    for (size_t i = length; i < size; i++)
        if (from[i])
            return 0;
    memcpy(text, from, size);
    return length < size;
}

static int digest_matches(const uint8_t *bytes, size_t size, char hex[65]) {
    static const uint8_t zeros[32] = {0};
    uint8_t digest[32];
    ee_sha256 sha;
    ee_sha256_begin(&sha);
    ee_sha256_add(&sha, bytes, EE_FILE_DIGEST_AT);
    ee_sha256_add(&sha, zeros, sizeof zeros);
    ee_sha256_add(&sha, bytes + EE_FILE_SPEC_AT, size - EE_FILE_SPEC_AT);
    ee_sha256_end(&sha, digest);
    for (int i = 0; i < 64; i++)
        hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hex[64] = 0;
    return memcmp(digest, bytes + EE_FILE_DIGEST_AT, sizeof digest) == 0;
}

static int read_tensor(const uint8_t *at, ee_tensor *tensor) {
    const uint8_t *name = at;
    uint64_t elements = 1;
    tensor->type = u32(at + 32) == EE_UINT8 ? EE_UINT8 : EE_FLOAT32;
    tensor->rank = u32(at + 40);
    if (!read_text(&name, tensor->name, sizeof tensor->name) || !tensor->name[0] || u32(at + 32) != tensor->type ||
        u32(at + 36) > 255 || tensor->rank < 1 || tensor->rank > MAX_RANK || u32(at + 44))
        return 0;
    tensor->zero_point = (uint8_t)u32(at + 36);
    for (uint32_t k = 0; k < MAX_RANK; k++) {
        uint32_t n = u32(at + 48 + 4 * k), skipped = MAX_RANK - tensor->rank; /* leading axes of 1 */
        elements *= n;
        if (n < 1 || n > EE_MAX_AXIS || elements > EE_MAX_STATE_BYTES || (k < skipped && n != 1))
            return 0;
        if (k >= skipped)
            tensor->shape[k - skipped] = n;
    }
    tensor->bytes = (size_t)elements * (tensor->type == EE_UINT8 ? 1 : 4);
    return 1;
}

static int read_spec(const uint8_t *bytes, uint32_t graph_at, ee_spec *spec) {
    const uint8_t *at = bytes + EE_FILE_SPEC_AT;
    spec->size_px = u32(at), spec->before = u32(at + 4), spec->after = u32(at + 8), spec->threshold = u32(at + 12);
    spec->precision = u32(at + 24);
    spec->states = u32(at + 36);
    spec->parameters = u64(at + 40);
    if (spec->size_px < EE_MIN_SIZE_PX || spec->size_px > EE_MAX_SIZE_PX || spec->size_px % EE_SIZE_STEP_PX ||
        spec->before > EE_MAX_CONTEXT_FRAMES || spec->after > EE_MAX_CONTEXT_FRAMES || spec->threshold < 1 ||
        spec->threshold > 255 || (spec->precision != EE_PRECISION_FP32 && spec->precision != EE_PRECISION_INT8) ||
        u32(at + 20) != EE_FORM_STREAM || u32(at + 32) != EE_RESAMPLING_Q11_BOX_BILINEAR ||
        spec->states > EE_MAX_STATE || (uint64_t)EE_FILE_TENSORS_AT + EE_FILE_TENSOR_BYTES * spec->states > graph_at)
        return 0;
    at = bytes + EE_FILE_TEXTS_AT;
    if (!read_text(&at, spec->name, sizeof spec->name) || !read_text(&at, spec->licence, sizeof spec->licence) ||
        !read_text(&at, spec->revision, sizeof spec->revision) ||
        !read_text(&at, spec->intended_use, sizeof spec->intended_use))
        return 0;
    uint64_t total = 0;
    for (uint32_t i = 0; i < spec->states; i++) {
        if (!read_tensor(bytes + EE_FILE_TENSORS_AT + EE_FILE_TENSOR_BYTES * i, &spec->state[i]))
            return 0;
        total += spec->state[i].bytes;
    }
    spec->state_bytes = (size_t)total;
    return total <= EE_MAX_STATE_BYTES;
}

/* The self-test of a version 2 file, from `at` on, behind the state tensors; it must not reach into the graph. */
static int read_selftest(const uint8_t *bytes, uint64_t at, uint32_t graph_at, uint32_t size_px, ee_selftest *test) {
    if (at + EE_FILE_SELFTEST_BYTES > graph_at)
        return 0;
    const uint32_t cine = u32(bytes + at), frames = u32(bytes + at + 4), max_levels = u32(bytes + at + 8);
    if (u32(bytes + at + 12))
        return 0;
    if (!cine)
        return !frames && !max_levels;
    if (cine != EE_TEST_CINE || frames < 1 || frames > EE_MAX_TEST_FRAMES || max_levels > 255)
        return 0;
    const uint64_t reference_bytes = max_levels ? (uint64_t)frames * size_px * size_px : 0;
    at += EE_FILE_SELFTEST_BYTES;
    if (at + (uint64_t)EE_FILE_ANSWER_BYTES * frames + reference_bytes > graph_at)
        return 0;
    for (uint32_t t = 0; t < frames; t++, at += EE_FILE_ANSWER_BYTES) {
        ee_answer *answer = &test->answers[t];
        memcpy(answer->prob, bytes + at, 32);
        memcpy(answer->mask, bytes + at + 32, 32);
        answer->area_px = u32(bytes + at + 64);
        if (answer->area_px > EE_TEST_WIDTH * EE_TEST_HEIGHT || u32(bytes + at + 68))
            return 0;
    }
    test->frames = frames;
    test->max_levels = max_levels;
    test->reference = max_levels ? bytes + at : NULL;
    test->reference_bytes = (size_t)reference_bytes;
    return 1;
}

/* Check size, magic and version of a file, and then its checksum, which `hex` becomes. */
static edgeecho_status verify(const uint8_t *bytes, size_t size, char hex[65], ee_error *error) {
    if (size < EE_FILE_TENSORS_AT || size > EE_MAX_FILE_BYTES || memcmp(bytes, "EDGEECHO", 8) != 0) {
        ee_set_error(error, "%zu bytes are no EdgeEcho device file (.edgeecho)", size);
        return EDGEECHO_E_FORMAT;
    }
    if (u32(bytes + 8) < 1 || u32(bytes + 8) > EE_FILE_VERSION) {
        ee_set_error(error, "a device file of version %u, this library reads 1 to %d", (unsigned)u32(bytes + 8),
                     EE_FILE_VERSION);
        return EDGEECHO_E_FORMAT;
    }
    if (!digest_matches(bytes, size, hex)) {
        ee_set_error(error, "the device file is damaged: its SHA-256 is %.16s..., not what it states", hex);
        return EDGEECHO_E_DAMAGED;
    }
    return EDGEECHO_OK;
}

edgeecho_status ee_device_file_read(const uint8_t *bytes, size_t size, ee_spec *spec, const uint8_t **graph,
                                    size_t *graph_size, ee_error *error) {
    const edgeecho_status status = verify(bytes, size, spec->sha256, error);
    if (status != EDGEECHO_OK)
        return status;
    const uint32_t graph_at = u32(bytes + 12);
    if (graph_at < EE_FILE_TENSORS_AT || graph_at >= size || u64(bytes + 16) != size - graph_at) {
        ee_set_error(error, "the graph of the device file does not lie where its header states");
        return EDGEECHO_E_FORMAT;
    }
    if (u32(bytes + EE_FILE_SPEC_AT + 20) == EE_FORM_CLIP) {
        ee_set_error(error, "the device file has a clip graph, and this library runs stream graphs: stream.*.edgeecho");
        return EDGEECHO_E_MODEL;
    }
    if (!read_spec(bytes, graph_at, spec)) {
        ee_set_error(error, "a value in the header of the device file is out of its bounds");
        return EDGEECHO_E_MODEL;
    }
    const uint64_t tensors_end = EE_FILE_TENSORS_AT + (uint64_t)EE_FILE_TENSOR_BYTES * spec->states;
    if (u32(bytes + 8) >= SELFTEST_VERSION &&
        !read_selftest(bytes, tensors_end, graph_at, spec->size_px, &spec->selftest)) {
        ee_set_error(error, "a value of the self-test in the device file is out of its bounds");
        return EDGEECHO_E_MODEL;
    }
    *graph = bytes + graph_at;
    *graph_size = size - graph_at;
    return EDGEECHO_OK;
}
