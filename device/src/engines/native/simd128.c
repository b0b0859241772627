/* Kernels for WebAssembly with 128-bit vectors: bytes are widened to 16 bits, and products added in pairs. */
#include "kernels.h"

#if defined(EE_NATIVE_SIMD128)
#include <string.h>
#include <wasm_simd128.h>

#include "addition.h"

typedef struct two_vectors { /* of 16 bits: channels 0 and 1, and 2 and 3; or of their sums, two for each channel */
    v128_t low, high;
} two_vectors;

#define sums_t two_vectors
#define weights_t two_vectors
#define inputs_t v128_t
#define EE_KEEP(sums)
enum { LANES = 4 };

static inline two_vectors none(void) {
    const v128_t zero = wasm_i32x4_splat(0);
    return (two_vectors){zero, zero};
}

static inline two_vectors take(const int8_t *weights) {
    const v128_t bytes = wasm_v128_load(weights);
    return (two_vectors){wasm_i16x8_extend_low_i8x16(bytes), wasm_i16x8_extend_high_i8x16(bytes)};
}

/* 4 inputs twice, in 16 bits. */
static inline v128_t spread(const uint8_t *inputs) {
    return wasm_u16x8_extend_low_u8x16(wasm_v128_load32_splat(inputs));
}

static inline two_vectors dot(two_vectors sums, v128_t inputs, two_vectors weights) {
    return (two_vectors){wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(inputs, weights.low)),
                         wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(inputs, weights.high))};
}

/* To the nearest integer, ties to even. */
static inline v128_t nearest(v128_t value) {
    return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(value));
}

static inline void finish(const ee_convolution_row *row, two_vectors halves, uint32_t channel, uint8_t *pixel) {
    const v128_t least = wasm_f32x4_splat(-(float)row->zero_point),
                 most = wasm_f32x4_splat(255 - (float)row->zero_point);
    v128_t sums = wasm_i32x4_add(wasm_i32x4_shuffle(halves.low, halves.high, 0, 2, 4, 6),
                                 wasm_i32x4_shuffle(halves.low, halves.high, 1, 3, 5, 7));
    sums = wasm_i32x4_add(sums, wasm_v128_load(row->bias + channel));
    v128_t value = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums), wasm_v128_load(row->scale + channel));
    value = wasm_f32x4_min(wasm_f32x4_max(value, least), most);
    const v128_t level = wasm_i32x4_add(nearest(value), wasm_i32x4_splat(row->zero_point));
    const v128_t words = wasm_i16x8_narrow_i32x4(level, level);
    wasm_v128_store32_lane(pixel + channel, wasm_u8x16_narrow_i16x8(words, words), 0); /* channels: a multiple of 4 */
}

#include "tile.h"

EE_TILES(one_vector, 4, EE_VECTORS_1)

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = (row->channels + LANES - 1) / LANES;
    for (uint32_t v = 0; v < vectors; v++)
        one_vector(row, v);
}

static inline v128_t scaled(const uint8_t *bytes, v128_t ratio) {
    const v128_t words = wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(bytes));
    return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(words)), ratio);
}

static inline void add(const ee_addition_row *row, const uint8_t *a, const uint8_t *b, size_t count, uint8_t *out) {
    const v128_t ratio_a = wasm_f32x4_splat(row->ratio_a), ratio_b = wasm_f32x4_splat(row->ratio_b);
    const v128_t offset = wasm_f32x4_splat(row->offset);
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const v128_t sum = wasm_f32x4_add(wasm_f32x4_add(scaled(a + i, ratio_a), scaled(b + i, ratio_b)), offset);
        const v128_t level = nearest(sum), words = wasm_i16x8_narrow_i32x4(level, level);
        wasm_v128_store32_lane(out + i, wasm_u8x16_narrow_i16x8(words, words), 0);
    }
    ee_add(row, a + i, b + i, count - i, out + i);
}

static void addition(const ee_addition_row *row) {
    EE_ADD_ROW(row, add);
}

const ee_native_kernels ee_native_simd128 = {"WebAssembly SIMD", convolution, addition};

#endif
