#include "colour.h"

#include <stdlib.h>

void ew_to_grey(const uint8_t *rgba, size_t pixels, uint8_t *grey) {
    for (size_t i = 0; i < pixels; i++)
        grey[i] = (uint8_t)((77 * rgba[4 * i] + 150 * rgba[4 * i + 1] + 29 * rgba[4 * i + 2] + 128) >> 8);
}

void ew_colours_reset(ew_colours *c, size_t pixels) {
    for (uint32_t i = 0; i <= EE_MAX_COLOUR_FRAMES; i++)
        free(c->is_coloured[i]);
    *c = (ew_colours){.pixels = pixels, .step = 1};
}

static int max_of(int a, int b) {
    return a > b ? a : b;
}

static int min_of(int a, int b) {
    return a < b ? a : b;
}

static void find_colour(const uint8_t *rgba, size_t pixels, uint8_t *is_coloured) {
    for (size_t i = 0; i < pixels; i++) {
        const int red = rgba[4 * i], green = rgba[4 * i + 1], blue = rgba[4 * i + 2];
        const int most = max_of(max_of(red, green), blue), least = min_of(min_of(red, green), blue);
        is_coloured[i] = most - least > EE_MIN_COLOUR_DIFFERENCE;
    }
}

/* Keep every second sample, and sample half as often. */
static void thin_out(ew_colours *c) {
    for (uint32_t i = 0; i < c->samples; i++)
        if (i % 2) {
            free(c->is_coloured[i]);
        } else if (i) {
            c->is_coloured[i / 2] = c->is_coloured[i];
        }
    const uint32_t kept = (c->samples + 1) / 2;
    for (uint32_t i = kept; i < c->samples; i++)
        c->is_coloured[i] = NULL;
    c->samples = kept;
    c->step *= 2;
}

int ew_colours_add(ew_colours *c, const uint8_t *rgba) {
    if (c->frames++ % c->step)
        return 1;
    uint8_t *sample = malloc(c->pixels);
    if (!sample)
        return 0;
    find_colour(rgba, c->pixels, sample);
    c->is_coloured[c->samples++] = sample;
    if (c->samples > EE_MAX_COLOUR_FRAMES)
        thin_out(c);
    return 1;
}

double ew_covered(const ew_colours *c, const uint8_t *mask) {
    size_t inside = 0, covered = 0;
    for (size_t i = 0; i < c->pixels; i++) {
        uint32_t coloured = 0;
        if (!mask[i])
            continue;
        for (uint32_t k = 0; k < c->samples; k++)
            coloured += c->is_coloured[k][i];
        inside++;
        covered += c->samples && (double)coloured / c->samples >= EE_MIN_COLOURED_FRACTION;
    }
    return inside ? (double)covered / (double)inside : 0;
}
