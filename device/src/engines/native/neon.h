/* What the kernels for ARM's NEON share: their inputs are those of the network minus 128, since its products are signed.
 * 128 is subtracted by a change of the highest bit, and `bias_128` makes the sums right. */
#include <arm_neon.h>
#include <string.h>

#include "addition.h"

enum { LANES = 4 };
#define weights_t int8x16_t
#define inputs_t int8x16_t

static inline int8x16_t take(const int8_t *weights) {
    return vld1q_s8(weights);
}

static inline int8x16_t spread(const uint8_t *inputs) {
    uint32_t four;
    memcpy(&four, inputs, sizeof four);
    return vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080u));
}

/* The nearest integers, ties to even, of numbers of less than 2^22 in magnitude. */
static inline int32x4_t nearest(float32x4_t values) {
#if defined(__aarch64__)
    return vcvtnq_s32_f32(values);
#else
    const float32x4_t magic = vdupq_n_f32(12582912); /* 1.5 x 2^23: the sum's last bit counts ones */
    return vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(values, magic)), vreinterpretq_s32_f32(magic));
#endif
}

/* Store 4 levels as bytes. */
static inline void store(int32x4_t levels, uint8_t *out) {
    const int16x4_t words = vqmovn_s32(levels);
    const uint8x8_t bytes = vqmovun_s16(vcombine_s16(words, words));
    uint8_t eight[8];
    vst1_u8(eight, bytes);
    memcpy(out, eight, 4); /* channels are a multiple of 4 */
}

static inline void scale_and_store(const ee_convolution_row *row, int32x4_t sums, uint32_t channel, uint8_t *pixel) {
    const float32x4_t least = vdupq_n_f32(-(float)row->zero_point), most = vdupq_n_f32(255 - (float)row->zero_point);
    sums = vaddq_s32(sums, vld1q_s32(row->bias_128 + channel));
    float32x4_t value = vmulq_f32(vcvtq_f32_s32(sums), vld1q_f32(row->scale + channel));
    value = vminq_f32(vmaxq_f32(value, least), most);
    store(vaddq_s32(nearest(value), vdupq_n_s32(row->zero_point)), pixel + channel);
}

static inline float32x4_t scaled(const uint8_t *bytes, float ratio) {
    uint8_t eight[8] = {0};
    memcpy(eight, bytes, 4);
    return vmulq_n_f32(vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(eight))))), ratio);
}

static inline void add(const ee_addition_row *row, const uint8_t *a, const uint8_t *b, size_t count, uint8_t *out) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const float32x4_t sum = vaddq_f32(scaled(a + i, row->ratio_a), scaled(b + i, row->ratio_b));
        const float32x4_t level = vaddq_f32(sum, vdupq_n_f32(row->offset));
        store(nearest(vminq_f32(vmaxq_f32(level, vdupq_n_f32(0)), vdupq_n_f32(255))), out + i);
    }
    ee_add(row, a + i, b + i, count - i, out + i);
}

static void addition(const ee_addition_row *row) {
    EE_ADD_ROW(row, add);
}
