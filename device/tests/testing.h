/* Parts that the test programs share: a check, random numbers, a drawn heart. */
#ifndef EE_TESTING_H
#define EE_TESTING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* splitmix64: the same numbers from the same seed everywhere. */
static inline uint64_t next_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A random number from 0 to n - 1. */
static inline uint32_t below(uint64_t *seed, uint32_t n) {
    return (uint32_t)(next_random(seed) % n);
}

/* Speckle with a dark ellipse that beats once in 40 frames. */
static inline void draw_heart(uint8_t *pixels, uint32_t width, uint32_t height, uint32_t frame, uint64_t *seed) {
    const int32_t phase = (int32_t)(frame % 40), up = phase < 20 ? phase : 40 - phase;
    const int64_t a = (int64_t)width * (180 - 2 * up) / 1000, b = (int64_t)height * (280 - 3 * up) / 1000;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const int64_t dx = (int64_t)x - width / 2, dy = (int64_t)y - height / 2;
            const int inside = dx * dx * b * b + dy * dy * a * a < a * a * b * b;
            pixels[(size_t)y * width + x] = (uint8_t)((inside ? 10 : 110) + below(seed, inside ? 24 : 80));
        }
}

/* Read a whole file; the caller frees it. */
static inline uint8_t *read_whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    CHECK(file && fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    CHECK(bytes && fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

#endif
