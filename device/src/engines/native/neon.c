/* Kernels for NEON without its dot product: products in 16 bits, added in pairs to sums of 32 bits. */
#include "kernels.h"

#if defined(EE_NATIVE_NEON)
#if defined(__arm__)
EE_TARGET("fpu=neon")
#endif
#include "neon.h"

typedef struct pairs { /* of channels 0 and 1, and of 2 and 3: a sum is two neighbours */
    int32x4_t low, high;
} pairs;

#define sums_t pairs
#define EE_KEEP(sums) __asm__("" : "+w"(sums.low), "+w"(sums.high));

static inline pairs none(void) {
    const pairs zeros = {vdupq_n_s32(0), vdupq_n_s32(0)};
    return zeros;
}

static inline pairs dot(pairs sums, int8x16_t inputs, int8x16_t weights) {
    sums.low = vpadalq_s16(sums.low, vmull_s8(vget_low_s8(inputs), vget_low_s8(weights)));
    sums.high = vpadalq_s16(sums.high, vmull_s8(vget_high_s8(inputs), vget_high_s8(weights)));
    return sums;
}

static inline void finish(const ee_convolution_row *row, pairs sums, uint32_t channel, uint8_t *pixel) {
    const int32x2_t low = vpadd_s32(vget_low_s32(sums.low), vget_high_s32(sums.low));
    const int32x2_t high = vpadd_s32(vget_low_s32(sums.high), vget_high_s32(sums.high));
    scale_and_store(row, vcombine_s32(low, high), channel, pixel);
}

#include "tile.h"

#if defined(__aarch64__) /* 32 registers of 16 bytes, else 16 */
EE_CONVOLUTION(4, 4)
#else
EE_CONVOLUTION(2, 4)
#endif

const ee_native_kernels ee_native_neon = {"NEON", convolution, addition};

#if defined(__arm__)
EE_TARGET_END
#endif
#endif
