/* Drives the measurement without Python.
 *
 *   measure_driver abuse              every buffer on its own, of the least size: for the sanitizers
 *   measure_driver time W H FRAMES    microseconds a push costs, as one line of JSON
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "beat_detector.h"
#include "beat_meter.h"
#include "disc_volume.h"

#define EXPECT(what)                                                                                                   \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "line %d: not true: %s\n", __LINE__, #what);                                               \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static uint64_t state = 88172645463325252u;

/* A random number from 0 to 1 (Marsaglia, xorshift). */
static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void *room(size_t count, size_t bytes) {
    void *memory = malloc(count * bytes);
    EXPECT(memory != NULL);
    memset(memory, 0xA5, count * bytes);
    return memory;
}

/* Draw half an ellipse, apex up, of this part of its full size, and return its pixels. */
static double draw(uint8_t *mask, uint32_t width, uint32_t height, double size) {
    const double length = 0.7 * height * sqrt(size), half_width = 0.22 * width * size, base = 0.85 * height;
    double area = 0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const double u = (base - y) / length, v = (x - 0.48 * width - 0.1 * y) / half_width;
            mask[y * width + x] = u >= 0 && u * u + v * v < 1;
            area += mask[y * width + x];
        }
    return area;
}

static void count_beat(void *context, const ee_beat *beat) {
    const bool rises = beat->es_frame < beat->ed_frame && !(beat->interval_frames > 0); /* ES before ED: no length */
    EXPECT(beat->ed_frame < beat->es_frame || rises);
    ++*(int *)context;
}

/* Push curves with gaps, glitches and noise, at any rate. */
static void abuse_tracker(void) {
    const double rates[] = {0, 0.01, 5, 20, 50, 120, 1000};
    int beats = 0;
    for (int round = 0; round < 70; round++) {
        const double fps = rates[round % 7];
        const size_t capacity = ee_curve_buffer_capacity(fps);
        ee_beat_tracker t = {
            .buffer = {.raw = room(capacity, sizeof(double)),
                       .values = room(capacity, sizeof(double)),
                       .smooth = room(capacity, sizeof(double)),
                       .shown = room(capacity, sizeof(bool))},
            .points = {.piece = room(capacity, sizeof(double))},
            .on_beat = count_beat,
            .context = &beats,
        };
        ee_beat_tracker_init(&t, fps);
        const double period = 4 + uniform() * (fps > 0 ? fps : 50), noise = round % 3 ? 0 : 0.3 * uniform();
        int gap = 0;
        for (size_t i = 0; i < 3 * capacity && i < 9000; i++) {
            if (gap == 0 && uniform() < 0.01)
                gap = (int)(uniform() * 1.3 * (t.buffer.windows.gap + 1));
            double area = 900 + 300 * cos(6.2832 * (double)i / period) + 900 * noise * (uniform() - 0.5);
            if (gap > 0) {
                gap--;
                area = 0;
            } else if (uniform() < 0.002) {
                area = uniform() < 0.5 ? NAN : uniform() < 0.5 ? -1 : 1e300;
            }
            ee_beat_tracker_push(&t, area);
            EXPECT(t.buffer.length >= 0 && (size_t)t.buffer.length <= capacity && t.buffer.smoothed <= t.buffer.length);
            if (uniform() < 0.0005)
                ee_beat_tracker_finish(&t);
        }
        ee_beat_tracker_finish(&t);
        (void)ee_why_no_beat(&t);
        free(t.buffer.raw);
        free(t.buffer.values);
        free(t.buffer.smooth);
        free(t.points.piece);
        free(t.buffer.shown);
    }
    EXPECT(beats > 100);
}

/* Measure the masks with most runs and most edge, and those of one pixel, row or column. */
static void abuse_component(void) {
    for (int round = 0; round < 900; round++) {
        const uint32_t width = 1 + (uint32_t)(uniform() * 40), height = 1 + (uint32_t)(uniform() * 40);
        const size_t pixels = (size_t)width * height;
        ee_component component = {.width = width, .height = height};
        component.runs = room(height * ((width + 1) / 2), sizeof(ee_run));
        component.edge = room(pixels, sizeof(ee_pixel));
        uint8_t *mask = room(pixels, 1);
        const double density = uniform();
        for (size_t i = 0; i < pixels; i++) {
            const uint32_t x = (uint32_t)(i % width), y = (uint32_t)(i / width);
            const uint8_t values[] = {
                1, (x + y) % 2,         x % 2, y % 2, x % 2 == 0 || y == 0, x % 3 != 2 || y == 0, uniform() < density,
                0, (x + 2 * y) % 5 != 0};
            mask[i] = values[round % 9] ? (uint8_t)(1 + uniform() * 255) : 0;
        }
        const ee_vector spacing = {0.1 + uniform(), 0.1 + uniform()};
        const double volume = ee_discs_of(&component, ee_find_runs(&component, mask), spacing).volume;
        EXPECT(isnan(volume) || volume > 0);
        free(component.runs);
        free(component.edge);
        free(mask);
    }
}

static void abuse_meter(void) {
    const uint32_t width = 50, height = 41;
    const size_t size = ee_beat_meter_size(width, height, 40);
    unsigned char *memory = room(size + 8, 1);
    EXPECT(size > 0);
    EXPECT(ee_beat_meter_size(0, 10, 50) == 0 && ee_beat_meter_size(10, 0, 50) == 0 &&
           ee_beat_meter_size(4097, 10, 50) == 0);
    EXPECT(ee_beat_meter_size(10, 4097, 50) == 0 && ee_beat_meter_size(10, 10, -1) == 0 &&
           ee_beat_meter_size(10, 10, NAN) == 0);
    EXPECT(ee_beat_meter_size(10, 10, 1001) == 0 && ee_beat_meter_size(10, 10, INFINITY) == 0);
    EXPECT(ee_beat_meter_size(4096, 4096, 1000) > 0 && ee_beat_meter_size(1, 1, 1e-300) > 0);
    EXPECT(ee_beat_meter_init(NULL, size, width, height, 40, 0, 0) == NULL);
    EXPECT(ee_beat_meter_init(memory + 1, size, width, height, 40, 0, 0) == NULL);
    EXPECT(ee_beat_meter_init(memory, size - 1, width, height, 40, 0, 0) == NULL);
    EXPECT(ee_beat_meter_init(memory, size, width + 1, height, 40, 0, 0) == NULL);
    EXPECT(ee_beat_meter_init(memory, size, width, height, 40, 0.5, 0) == NULL);
    EXPECT(ee_beat_meter_init(memory, size, width, height, 40, -0.5, 0.5) == NULL);
    EXPECT(ee_beat_meter_init(memory, size, width, height, 40, NAN, NAN) == NULL);
    EXPECT(ee_beat_meter_init(memory, size, width, height, 40, 0.5, 1e9) == NULL);
    ee_beat_meter *meter = ee_beat_meter_init(memory, size, width, height, 40, 0.5, 0.5);
    EXPECT(meter != NULL);
    uint8_t *mask = room(width * height, 1);
    ee_beat_measurement beat;
    ee_measurement summary;
    uint64_t reported = 0, frames = 0;
    EXPECT(ee_beat_meter_finish(meter) == 0 && !ee_beat_meter_beat(meter, 0, &beat));
    /* more beats than are kept */
    for (; reported < EE_BEATS_KEPT + 300 && frames < 400000; frames++) {
        const double area = draw(mask, width, height, 0.75 + 0.25 * cos(6.2832 * (double)frames / 20));
        reported += (uint64_t)ee_beat_meter_push(meter, mask, area);
        EXPECT(ee_beat_meter_beats(meter) == reported);
    }
    EXPECT(reported >= EE_BEATS_KEPT + 300);
    EXPECT(!ee_beat_meter_beat(meter, reported, &beat) &&
           !ee_beat_meter_beat(meter, reported - EE_BEATS_KEPT - 1, &beat));
    EXPECT(ee_beat_meter_beat(meter, reported - EE_BEATS_KEPT, &beat) &&
           ee_beat_meter_beat(meter, reported - 1, &beat));
    ee_beat_meter_summary(meter, &summary);
    EXPECT(summary.frames == frames && summary.beats == reported && summary.reason == EE_REASON_NONE);
    EXPECT(fabs(summary.heart_rate_bpm - 120) < 0.01 && fabs(summary.ef_percent - beat.ef_percent) < 0.1);
    ee_beat_meter_reset(meter);
    ee_beat_meter_summary(meter, &summary);
    EXPECT(summary.frames == 0 && summary.beats == 0 && isnan(summary.ef_percent) &&
           summary.reason == EE_REASON_TOO_SHORT);
    free(mask);
    free(memory);
}

static int rising(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Processor time of this process in microseconds. */
static double now_us(void) {
    return (double)clock() * (1e6 / CLOCKS_PER_SEC);
}

static void measure_time(uint32_t width, uint32_t height, size_t frames) {
    enum { MASKS = 40 };
    const size_t size = ee_beat_meter_size(width, height, 50), pixels = (size_t)width * height;
    EXPECT(size > 0 && frames > 0);
    void *memory = room(size, 1);
    uint8_t *masks = room(MASKS * pixels, 1);
    double areas[MASKS], *each = room(frames, sizeof(double)), *closing = room(frames, sizeof(double));
    size_t beats = 0;
    for (int i = 0; i < MASKS; i++)
        areas[i] = draw(masks + (size_t)i * pixels, width, height, 0.75 + 0.25 * cos(6.2832 * i / MASKS));
    ee_beat_meter *meter = ee_beat_meter_init(memory, size, width, height, 50, 0.3, 0.3);
    for (size_t i = 0; i < frames; i++) {
        const double start = now_us();
        const int reported = ee_beat_meter_push(meter, masks + i % MASKS * pixels, areas[i % MASKS]);
        each[i] = now_us() - start;
        if (reported)
            closing[beats++] = each[i];
    }
    qsort(each, frames, sizeof *each, rising);
    qsort(closing, beats, sizeof *closing, rising);
    printf("{\"width\": %u, \"height\": %u, \"area_px\": %.0f, \"bytes\": %zu, \"frames\": %zu, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"max_us\": %.1f, \"beats\": %zu, \"beat_p50_us\": %.1f}\n",
           width, height, areas[0], size, frames, each[frames / 2], each[frames * 99 / 100], each[frames - 1], beats,
           beats ? closing[beats / 2] : NAN);
    free(memory);
    free(masks);
    free(each);
    free(closing);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "abuse") == 0) {
        abuse_tracker();
        abuse_component();
        abuse_meter();
    } else if (argc == 5 && strcmp(argv[1], "time") == 0) {
        measure_time((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]), (size_t)atol(argv[4]));
    } else {
        fputs("usage: measure_driver abuse | time W H FRAMES\n", stderr);
        return 2;
    }
    return 0;
}
