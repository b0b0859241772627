/*
 * Resampling gives the golden arrays to the bit, also of a region that leaves its frame; masks are thresholded maps.
 *
 *     test_resample resample.bin
 */
#include <string.h>

#include "combine.h"
#include "device_file.h"
#include "mask_runs.h"
#include "testing.h"

static ee_axis make_axis(uint32_t inputs, uint32_t outputs) {
    ee_axis axis = {.taps = malloc(outputs * sizeof *axis.taps),
                    .weights = malloc(ee_axis_capacity(inputs, outputs) * sizeof *axis.weights)};
    CHECK(axis.taps && axis.weights);
    return axis;
}

static void free_axis(ee_axis *axis) {
    free(axis->taps);
    free(axis->weights);
}

/* The region of `h` x `w` pixels at (x, y) of an image, `height` x `width` pixels, to `rows` x `columns`. */
static void resample(const uint8_t *image, uint32_t height, uint32_t width, int32_t y, int32_t x, uint32_t h,
                     uint32_t w, uint32_t rows, uint32_t columns, uint8_t *out) {
    ee_axis down = make_axis(height, rows), across = make_axis(width, columns);
    uint64_t *sums = malloc(EE_SUM_ROOM * (size_t)width * sizeof *sums);
    CHECK(sums);
    ee_axis_fill(&down, h, rows, 0, rows, y, height);
    ee_axis_fill(&across, w, columns, 0, columns, x, width);
    ee_resample(&down, &across, image, width, sums, width, out);
    free_axis(&down), free_axis(&across), free(sums);
}

static uint32_t u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Images of h x w and what they become, H x W: n, then n times h, w, H, W and both arrays. */
static void check_golden(const char *path) {
    size_t size;
    uint8_t *bytes = read_whole(path, &size), *at = bytes + 4;
    uint32_t count = u32(bytes);
    CHECK(count > 10);
    while (count--) {
        const uint32_t h = u32(at), w = u32(at + 4), height = u32(at + 8), width = u32(at + 12);
        uint8_t *out = malloc((size_t)height * width);
        CHECK(out && at + 16 + h * w + height * width <= bytes + size);
        resample(at + 16, h, w, 0, 0, h, w, height, width, out);
        CHECK(memcmp(out, at + 16 + h * w, (size_t)height * width) == 0);
        at += 16 + h * w + height * width;
        free(out);
    }
    CHECK(at == bytes + size);
    free(bytes);
}

/* A region read where it lies is the same as one that was cut out first, black where it leaves the frame. */
static void check_regions(uint64_t *seed) {
    const uint32_t height = 1 + below(seed, 60), width = 1 + below(seed, 60), size = 16 * (1 + below(seed, 3));
    const uint32_t h = 1 + below(seed, 90), w = 1 + below(seed, 90);
    const int32_t y = (int32_t)below(seed, 120) - 60, x = (int32_t)below(seed, 120) - 60;
    uint8_t *image = malloc((size_t)height * width), *cut = calloc(h, w);
    uint8_t *found = malloc((size_t)size * size), *wanted = malloc((size_t)size * size);
    CHECK(image && cut && found && wanted);
    for (uint32_t i = 0; i < height * width; i++)
        image[i] = (uint8_t)next_random(seed);
    for (int32_t r = 0; r < (int32_t)h; r++)
        for (int32_t c = 0; c < (int32_t)w; c++)
            if (r + y >= 0 && r + y < (int32_t)height && c + x >= 0 && c + x < (int32_t)width)
                cut[r * (int32_t)w + c] = image[(r + y) * (int32_t)width + c + x];
    resample(image, height, width, y, x, h, w, size, size, found);
    resample(cut, h, w, 0, 0, h, w, size, size, wanted);
    CHECK(memcmp(found, wanted, (size_t)size * size) == 0);
    free(image), free(cut), free(found), free(wanted);
}

/* A mask is the resampled map at the threshold, cut to the frame; its runs are in order and do not touch. */
static void check_masks(uint64_t *seed) {
    const uint32_t size = 16 * (1 + below(seed, 4)), h = 1 + below(seed, 150), w = 1 + below(seed, 150);
    const uint32_t top = below(seed, h), left = below(seed, w);
    const uint32_t rows = 1 + below(seed, h - top), columns = 1 + below(seed, w - left);
    const ee_roi roi = {-(int64_t)left, -(int64_t)top, w, h};
    ee_mask_map out = {.size = size, .threshold = (uint8_t)(1 + below(seed, 255))};
    out.axes.rows = make_axis(size, rows), out.axes.columns = make_axis(size, columns);
    out.from = malloc((size + 1) * sizeof *out.from), out.beyond = malloc((size + 1) * sizeof *out.beyond);
    out.sums = malloc(size * sizeof *out.sums);
    uint8_t *prob = malloc((size_t)size * size), *map = malloc((size_t)h * w), *mask = calloc(rows, columns);
    ee_run *runs = malloc(rows * ((columns + 1) / 2) * sizeof *runs);
    CHECK(prob && map && mask && runs && out.from && out.beyond && out.sums);
    ee_mask_map_set(&out, &roi, columns, rows);
    CHECK(out.x == 0 && out.y == 0);
    for (int pass = 0; pass < 3; pass++) {
        const uint32_t kind = below(seed, 3), cut = below(seed, 256);
        for (uint32_t i = 0; i < size * size; i++) {
            const uint32_t dy = i / size > size / 2 ? i / size - size / 2 : size / 2 - i / size;
            const uint32_t dx = i % size > size / 2 ? i % size - size / 2 : size / 2 - i % size;
            const uint32_t blob = dx + dy > size / 2 ? 0 : 255 - 255 * (dx + dy) / size;
            const uint8_t noise = (uint8_t)next_random(seed);
            prob[i] = kind == 0 ? noise : kind == 1 ? (uint8_t)blob : (uint8_t)(noise < cut ? 0 : 255);
        }
        resample(prob, size, size, 0, 0, size, size, h, w, map);
        const ee_runs found = {runs, ee_find_mask_runs(&out, prob, runs), {0, 0}};
        for (size_t i = 1; i < found.count; i++)
            CHECK(runs[i].row > runs[i - 1].row || runs[i].first > runs[i - 1].last + 1);
        ee_draw_mask(&found, columns, rows, mask, columns);
        for (uint32_t y = 0; y < rows; y++)
            for (uint32_t x = 0; x < columns; x++)
                CHECK(mask[y * columns + x] == (map[(y + top) * w + x + left] >= out.threshold));
    }
    free_axis(&out.axes.rows), free_axis(&out.axes.columns), free(out.from), free(out.beyond), free(out.sums);
    free(prob), free(map), free(mask), free(runs);
}

/* Every way to sum rows gives the same numbers. */
static void check_combines(uint64_t *seed) {
    enum { ROWS = 9, STRIDE = EE_BLOCK + 5 };
    uint8_t image[ROWS * STRIDE];
    uint16_t weights[ROWS];
    uint32_t wanted[EE_BLOCK], found[EE_BLOCK];
    const uint32_t count = below(seed, ROWS + 1);
    for (uint32_t i = 0; i < sizeof image; i++)
        image[i] = below(seed, 4) ? (uint8_t)next_random(seed) : 255;
    for (uint32_t k = 0; k < ROWS; k++)
        weights[k] = (uint16_t)(below(seed, 3) ? below(seed, (1 << EE_WEIGHT_BITS) + 1) : 1 << EE_WEIGHT_BITS);
    const uint8_t *first = image + below(seed, 5);
    ee_combine_plain(weights, count, first, STRIDE, wanted);
    ee_best_combine()(weights, count, first, STRIDE, found);
    CHECK(memcmp(found, wanted, sizeof wanted) == 0);
#if defined(__SSE2__)
    ee_combine_sse2(weights, count, first, STRIDE, found);
    CHECK(memcmp(found, wanted, sizeof wanted) == 0);
#endif
}

int main(int argc, char **argv) {
    uint64_t seed = 20261125;
    CHECK(argc == 2);
    check_golden(argv[1]);
    for (int k = 0; k < 500; k++) {
        check_combines(&seed);
        check_regions(&seed);
        check_masks(&seed);
    }
    return 0;
}
