/* Kernels for AVX-512 with VNNI: 64 products of bytes an instruction. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx512f,avx512bw,avx512vl,avx512vnni")
#define sums_t __m512i
#define weights_t __m512i
#define inputs_t __m512i
#define EE_KEEP(sums) __asm__("" : "+v"(sums));
enum { LANES = 16 };

static inline __m512i none(void) {
    return _mm512_setzero_si512();
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
    sums = _mm512_add_epi32(sums, _mm512_loadu_si512(row->bias + channel));
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

#include "avx_addition.h"
#include "tile.h"

EE_TILES(three_vectors, 8, EE_VECTORS_3)
EE_TILES(three_vectors_7, 7, EE_VECTORS_3)
EE_TILES(two_vectors, 14, EE_VECTORS_2)
EE_TILES(one_vector, 14, EE_VECTORS_1)

static void convolution(const ee_convolution_row *row) {
    const uint32_t half = (row->channels - 1) % LANES < LANES / 2; /* channels that a vector of 8 is enough for */
    const uint32_t vectors = (row->channels + LANES - 1) / LANES - half;
    uint32_t v = 0;
    for (; v + 3 <= vectors && vectors - v != 4; v += 3)
        if (row->pixels % 8)
            three_vectors_7(row, v);
        else
            three_vectors(row, v);
    for (; v + 2 <= vectors; v += 2)
        two_vectors(row, v);
    if (v < vectors)
        one_vector(row, v);
    if (half)
        ee_native_half_vector(row, vectors * 2);
}

const ee_native_kernels ee_native_avx512vnni = {"AVX512-VNNI", convolution, addition};

EE_TARGET_END
#endif
