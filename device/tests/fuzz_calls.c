/*
 * Random sequences of calls with random arguments, right and wrong; every buffer has the length that is passed and no more.
 *
 *     fuzz_calls MODEL [SEQUENCES SEED]
 */
#define _POSIX_C_SOURCE 200809L
#include <edgeecho.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"

enum { STREAMS = 3, CALLS = 24 };

typedef struct slot {
    edgeecho_stream *stream;
    void *memory;        /* of the stream, if it is ours */
    edgeecho_frame last; /* of the cine that it is in */
} slot;

static uint32_t side(uint64_t *seed) {
    static const uint32_t odd[] = {0, 1, 15, 16, 17, 4096, 4097, UINT32_MAX};
    return below(seed, 8) ? 16 + below(seed, 120) : odd[below(seed, 8)];
}

static double number(uint64_t *seed) {
    static const double odd[] = {0, 0, 0.3, 0.5, 25, 50, 999, -1, NAN, INFINITY, 1e300, 1e-300};
    return odd[below(seed, 12)];
}

static edgeecho_stream_options random_options(uint64_t *seed) {
    edgeecho_stream_options options = {sizeof options, side(seed), side(seed), number(seed), 0, 0, 0, 0, 0};
    options.max_width = options.max_width == 4096 ? 200 : options.max_width; /* 4096 x 4096 would take long */
    if (below(seed, 2))
        options.row_mm = number(seed), options.column_mm = number(seed);
    if (below(seed, 2))
        options.search = below(seed, 5), options.flip = below(seed, 4) ? 0 : below(seed, 10);
    else if (below(seed, 2))
        options.flip = below(seed, 9);
    if (!below(seed, 4))
        options.memory_bytes = below(seed, 1 << 23);
    if (!below(seed, 20))
        options.struct_size = below(seed, 100);
    return options;
}

static void destroy(slot *s) {
    edgeecho_stream_destroy(s->stream);
    free(s->memory);
    memset(s, 0, sizeof *s);
}

/* Make a stream, in memory of its own or in ours, which has exactly as many bytes as it needs, or some more or less. */
static void create(edgeecho_model *model, slot *s, uint64_t *seed) {
    const edgeecho_stream_options options = random_options(seed);
    destroy(s);
    edgeecho_status status;
    const size_t size = edgeecho_stream_size(model, &options);
    if (below(seed, 2) || size > 1 << 26) {
        status = edgeecho_stream_create(model, &options, &s->stream);
    } else {
        const size_t given = size + (below(seed, 3) ? 0 : below(seed, 1 << 20)) - (!below(seed, 8) && size ? 1 : 0);
        CHECK(posix_memalign(&s->memory, EDGEECHO_ALIGNMENT, given + 1) == 0);
        memset(s->memory, (int)below(seed, 256), given);
        uint8_t *memory = (uint8_t *)s->memory + (below(seed, 20) ? 0 : 1);
        status = edgeecho_stream_init(model, &options, memory, given, &s->stream);
    }
    CHECK(status <= 0 && (status == EDGEECHO_OK) == (s->stream != NULL));
}

static void reset_with(slot *s, uint64_t *seed) {
    const edgeecho_stream_options options = random_options(seed);
    const edgeecho_status status = edgeecho_reset_with(s->stream, below(seed, 20) ? &options : NULL);
    CHECK(status == EDGEECHO_OK || status == EDGEECHO_E_ARGUMENT || status == EDGEECHO_E_SIZE);
    CHECK(!s->stream || status == EDGEECHO_OK || edgeecho_stream_error(s->stream)[0]);
    if (status == EDGEECHO_OK)
        memset(&s->last, 0, sizeof s->last);
}

static void push(slot *s, uint64_t *seed) {
    edgeecho_frame f = s->last;
    if (!f.width || !below(seed, 6)) {
        f = (edgeecho_frame){.struct_size = sizeof f, .width = side(seed), .height = side(seed)};
        f.stride_bytes = f.width + (below(seed, 2) ? below(seed, 40) : 0);
        if (below(seed, 3) == 0) {
            f.roi_x = (int32_t)below(seed, 200) - 100, f.roi_y = (int32_t)below(seed, 200) - 100;
            f.roi_width = side(seed), f.roi_height = side(seed);
        }
    }
    if (!below(seed, 30))
        f.stride_bytes = below(seed, 2) ? SIZE_MAX - below(seed, 9) : below(seed, 20);
    if (!below(seed, 30))
        f.struct_size = below(seed, 100);
    if (f.time_s != 0 || !below(seed, 3))
        f.time_s += below(seed, 20) ? 0.001 * below(seed, 200) : number(seed);
    /* only as many bytes as such a frame has; what cannot be had must be refused before it is read */
    const uint64_t bytes = f.height ? (f.height - 1) * (uint64_t)f.stride_bytes + f.width : 0;
    const size_t held = f.stride_bytes < 1 << 16 && bytes < 1 << 20 ? (size_t)bytes : 0;
    uint8_t *pixels = malloc(held ? held : 1);
    CHECK(pixels);
    for (size_t i = 0; i < held; i += 1 + below(seed, 7))
        pixels[i] = (uint8_t)next_random(seed);
    f.pixels = held || below(seed, 2) ? pixels : NULL;
    if (held || f.stride_bytes >= 1 << 16 || f.width > 4096 || f.height > 4096 || !f.height || !f.pixels) {
        edgeecho_status status = edgeecho_push(s->stream, &f);
        CHECK(status <= EDGEECHO_MORE && status > -16);
        CHECK(status != EDGEECHO_E_ENGINE && status != EDGEECHO_E_MEMORY);
        if (status >= 0)
            s->last = f;
    }
    free(pixels);
}

/* Outline and probability, in buffers of exactly their size. */
static void read_pictures(const slot *s, uint32_t size_px, uint64_t *seed) {
    size_t count = 0;
    const edgeecho_status status = edgeecho_contour(s->stream, NULL, 0, below(seed, 9) ? &count : NULL);
    CHECK(status == EDGEECHO_OK || status == EDGEECHO_MORE || status == EDGEECHO_E_ARGUMENT);
    const size_t room = count - (count && !below(seed, 4));
    edgeecho_point *points = malloc(room ? room * sizeof *points : 1);
    CHECK(points);
    const edgeecho_status filled = edgeecho_contour(s->stream, points, room, &count);
    CHECK(status != EDGEECHO_OK || filled == (room == count ? EDGEECHO_OK : EDGEECHO_E_SIZE));
    const uint32_t stride = size_px + (below(seed, 2) ? below(seed, 9) : 0);
    const size_t size = (size_t)stride * (size_px - 1) + size_px - (below(seed, 5) ? 0 : 1);
    uint8_t *prob = malloc(size);
    CHECK(prob && edgeecho_probability(s->stream, prob, size, stride - !below(seed, 9)) <= EDGEECHO_MORE);
    free(points), free(prob);
}

static void read_all(slot *s, uint64_t *seed) {
    edgeecho_result r = {.struct_size = below(seed, 20) ? sizeof r : below(seed, 200)};
    edgeecho_beat beat = {.struct_size = below(seed, 20) ? sizeof beat : 40 + below(seed, 60)};
    edgeecho_status status = edgeecho_read(s->stream, &r);
    CHECK(status == EDGEECHO_OK || status == EDGEECHO_MORE || status == EDGEECHO_E_ARGUMENT);
    const uint32_t height = below(seed, 160), stride = below(seed, 200);
    uint8_t *mask = malloc((size_t)height * stride + 1);
    CHECK(mask);
    edgeecho_status masked = edgeecho_mask(s->stream, mask, (size_t)height * stride, stride);
    if (masked == EDGEECHO_OK && status == EDGEECHO_OK) {
        double area = 0;
        for (uint32_t y = 0; y < r.height; y++)
            for (uint32_t x = 0; x < r.width; x++) {
                CHECK(mask[y * stride + x] <= 1);
                area += mask[y * stride + x];
            }
        CHECK(area == r.area_px);
        if (r.struct_size == sizeof r) {
            CHECK(r.verdict <= EDGEECHO_WITHHOLD && r.confidence >= 0 && r.confidence <= 1);
            CHECK((r.verdict > EDGEECHO_REPORT) == (r.reasons != 0));
            CHECK(isnan(r.ef_percent) || isnan(r.withheld_ef_percent));
        }
    }
    free(mask);
    for (uint32_t i = 0; i < 3; i++)
        if (edgeecho_beat_at(s->stream, i, &beat) == EDGEECHO_OK) {
            /* the first alone may have its ES before its ED, and then no heart rate */
            const int rises = i == 0 && beat.es_frame < beat.ed_frame && isnan(beat.heart_rate_bpm);
            CHECK(beat.ed_frame < beat.es_frame || rises);
            CHECK(beat.ef_percent >= 0 && beat.ef_percent <= 100);
        }
}

static void selftest(edgeecho_model *model, uint64_t *seed) {
    edgeecho_selftest_result r = {.struct_size = below(seed, 4) ? sizeof r : below(seed, 100)};
    const edgeecho_status status = edgeecho_selftest(below(seed, 4) ? model : NULL, &r);
    CHECK(status == EDGEECHO_OK || status == EDGEECHO_MORE || status == EDGEECHO_E_SELFTEST ||
          status == EDGEECHO_E_ARGUMENT);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const int sequences = argc > 2 ? atoi(argv[2]) : 10000;
    uint64_t seed = argc > 3 ? (uint64_t)atoll(argv[3]) : 1, calls = 0;
    edgeecho_model *model = NULL, *other = NULL;
    edgeecho_info info = {.struct_size = sizeof info};
    CHECK(edgeecho_open(argv[1], NULL, &model) == EDGEECHO_OK && edgeecho_describe(model, &info) == EDGEECHO_OK);
    for (int k = 0; k < sequences; k++) {
        slot slots[STREAMS];
        memset(slots, 0, sizeof slots);
        alarm(60);
        for (int i = 0; i < CALLS; i++, calls++) {
            slot *s = &slots[below(&seed, STREAMS)];
            switch (below(&seed, 14)) {
            case 0: create(below(&seed, 10) ? model : NULL, s, &seed); break;
            case 1: CHECK(edgeecho_flush(s->stream) <= EDGEECHO_MORE); break;
            case 2:
                CHECK(edgeecho_reset(s->stream) <= 0);
                memset(&s->last, 0, sizeof s->last);
                break;
            case 3: read_all(s, &seed); break;
            case 4: destroy(s); break;
            case 5: CHECK(edgeecho_open_memory(argv[1], below(&seed, 4), NULL, &other) < 0 && !other); break;
            case 6:
                if (!below(&seed, 10)) /* takes as long as many other calls */
                    selftest(model, &seed);
                break;
            case 7: reset_with(s, &seed); break;
            case 8: read_pictures(s, info.size_px, &seed); break;
            default:
                if (!s->stream)
                    create(model, s, &seed);
                push(s, &seed);
            }
        }
        int open = 0;
        for (int i = 0; i < STREAMS; i++)
            open += slots[i].stream != NULL;
        if (open)
            CHECK(edgeecho_close(model) == EDGEECHO_E_BUSY);
        for (int i = 0; i < STREAMS; i++)
            destroy(&slots[i]);
    }
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    printf("%d sequences, %llu calls\n", sequences, (unsigned long long)calls);
    return 0;
}
