/* Kernels for AVX-512 with VNNI: 64 products of bytes an instruction. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx512f,avx512bw,avx512vl,avx512vnni")
#include "addition.h"

#define sums_t __m512i
#define weights_t __m512i
#define inputs_t __m512i
enum { LANES = 16, WIDE = 14, VECTORS = 3 };

static inline __m512i start(const ee_convolution_row *row, uint32_t channel) {
    return _mm512_loadu_si512(row->bias + channel);
}

static inline __m512i take(const int8_t *weights) {
    return _mm512_loadu_si512(weights);
}

static inline __m512i spread(const uint8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return _mm512_set1_epi32(four);
}

static inline __m512i dot(__m512i sums, __m512i inputs, __m512i weights) {
    return _mm512_dpbusd_epi32(sums, inputs, weights);
}

static inline void finish(const ee_convolution_row *row, __m512i sums, uint32_t channel, uint8_t *pixel) {
    const __m512 least = _mm512_set1_ps(-(float)row->zero_point), most = _mm512_set1_ps(255 - (float)row->zero_point);
    __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(row->scale + channel));
    value = _mm512_min_ps(_mm512_max_ps(value, least), most);
    const __m512i level = _mm512_add_epi32(_mm512_cvtps_epi32(value), _mm512_set1_epi32(row->zero_point));
    const uint32_t left = row->channels - channel;
    const __m128i bytes = _mm512_cvtepi32_epi8(level);
    if (left >= LANES)
        _mm_storeu_si128((__m128i *)(void *)(pixel + channel), bytes);
    else
        _mm_mask_storeu_epi8(pixel + channel, (__mmask16)((1u << left) - 1), bytes);
}

#include "tile.h"

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = (row->channels + LANES - 1) / LANES;
    uint32_t v = 0;
    for (; v + 3 <= vectors && vectors - v != 4; v += 3)
        tiles(row, v, 7, 3);
    for (; v + 2 <= vectors; v += 2)
        tiles(row, v, 14, 2);
    if (v < vectors)
        tiles(row, v, 14, 1);
}

static void addition(const ee_addition_row *row) {
    ee_addition(row);
}

const ee_native_kernels ee_native_avx512vnni = {"AVX512-VNNI", convolution, addition};

EE_TARGET_END
#endif
