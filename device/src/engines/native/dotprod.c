/* Kernels for NEON with its dot product (ARMv8.2): 16 products of bytes an instruction. */
#include "kernels.h"

#if defined(EE_NATIVE_DOTPROD)
EE_TARGET(EE_DOTPROD_TARGET)
#include "neon.h"

#define sums_t int32x4_t
#define EE_KEEP(sums) __asm__("" : "+w"(sums));

static inline int32x4_t none(void) {
    return vdupq_n_s32(0);
}

static inline int32x4_t dot(int32x4_t sums, int8x16_t inputs, int8x16_t weights) {
    return vdotq_s32(sums, weights, inputs);
}

static inline void finish(const ee_convolution_row *row, int32x4_t sums, uint32_t channel, uint8_t *pixel) {
    scale_and_store(row, sums, channel, pixel);
}

#include "tile.h"

EE_TILES(three_vectors, 7, EE_VECTORS_3)
EE_TILES(two_vectors, 8, EE_VECTORS_2)
EE_TILES(one_vector, 14, EE_VECTORS_1)

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = row->channels / LANES;
    uint32_t v = 0;
    for (; v + 3 <= vectors && vectors - v != 4; v += 3)
        three_vectors(row, v);
    for (; v + 2 <= vectors; v += 2)
        two_vectors(row, v);
    if (v < vectors)
        one_vector(row, v);
}

const ee_native_kernels ee_native_dotprod = {"NEON dot product", convolution, addition};

EE_TARGET_END
#endif
