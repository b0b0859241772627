/*
 * Print an image of 5 by 5 numbered pixels, flipped and flipped back, for a comparison with Python.
 *
 *     test_orientation FLIP     its number
 */
#include "orientation.h"
#include "testing.h"

enum { SIDE = 5, PIXELS = SIDE * SIDE };

static void print(const uint8_t *image) {
    for (int i = 0; i < PIXELS; i++)
        printf("%d%c", image[i], i + 1 < PIXELS ? ' ' : '\n');
}

int main(int argc, char **argv) {
    uint8_t image[PIXELS], there[PIXELS], back[PIXELS];
    CHECK(argc == 2 && atoi(argv[1]) >= 0 && atoi(argv[1]) < EE_FLIPS);
    const uint32_t flip = (uint32_t)atoi(argv[1]);
    for (int i = 0; i < PIXELS; i++)
        image[i] = (uint8_t)i;
    ee_flip(image, SIDE, flip, there);
    ee_unflip(image, SIDE, flip, back);
    print(there);
    print(back);
    ee_unflip(there, SIDE, flip, back);
    for (int i = 0; i < PIXELS; i++)
        CHECK(back[i] == image[i]);
    return 0;
}
