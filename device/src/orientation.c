#include "orientation.h"

#include <string.h>

/* Where a pixel of the result comes from: rows and columns change places, then either runs backwards. */
typedef struct {
    int is_transposed, rows_back, columns_back; /* of the image that is read */
} way;

static const way WAYS[EE_FLIPS] = {
    [EDGEECHO_FLIP_NONE] = {0, 0, 0}, [EDGEECHO_FLIP_LR] = {0, 0, 1},    [EDGEECHO_FLIP_UD] = {0, 1, 0},
    [EDGEECHO_FLIP_LRUD] = {0, 1, 1}, [EDGEECHO_FLIP_CW] = {1, 1, 0},    [EDGEECHO_FLIP_CCW] = {1, 0, 1},
    [EDGEECHO_FLIP_CWLR] = {1, 0, 0}, [EDGEECHO_FLIP_CCWLR] = {1, 1, 1},
};

void ee_flip(const uint8_t *image, uint32_t size, uint32_t flip, uint8_t *out) {
    const way w = WAYS[flip];
    const uint32_t last = size - 1;
    if (flip == EDGEECHO_FLIP_NONE) {
        memcpy(out, image, (size_t)size * size);
        return;
    }
    for (uint32_t y = 0; y < size; y++)
        for (uint32_t x = 0; x < size; x++) {
            const uint32_t r = w.is_transposed ? x : y, c = w.is_transposed ? y : x;
            *out++ = image[(size_t)(w.rows_back ? last - r : r) * size + (w.columns_back ? last - c : c)];
        }
}

void ee_unflip(const uint8_t *image, uint32_t size, uint32_t flip, uint8_t *out) {
    /* a turn is undone by the opposite one, all others by themselves */
    const uint32_t undone = flip == EDGEECHO_FLIP_CW    ? EDGEECHO_FLIP_CCW
                            : flip == EDGEECHO_FLIP_CCW ? EDGEECHO_FLIP_CW
                                                        : flip;
    ee_flip(image, size, undone, out);
}

void ee_invert(const uint8_t *pixels, size_t stride, uint32_t width, uint32_t height, uint8_t *out) {
    for (uint32_t y = 0; y < height; y++, pixels += stride)
        for (uint32_t x = 0; x < width; x++)
            *out++ = (uint8_t)~pixels[x];
}
