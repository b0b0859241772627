/* Kernels for SSE4.1: products of bytes are added in pairs in 16 bits, which weights of 7 bits cannot saturate. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("sse4.1")
#include "addition.h"

#define sums_t __m128i
#define weights_t __m128i
#define inputs_t __m128i
enum { LANES = 4, WIDE = 7, VECTORS = 2 };

static inline __m128i start(const ee_convolution_row *row, uint32_t channel) {
    return _mm_loadu_si128((const __m128i *)(const void *)(row->bias + channel));
}

static inline __m128i take(const int8_t *weights) {
    return _mm_loadu_si128((const __m128i *)(const void *)weights);
}

static inline __m128i spread(const uint8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return _mm_set1_epi32(four);
}

static inline __m128i dot(__m128i sums, __m128i inputs, __m128i weights) {
    return _mm_add_epi32(sums, _mm_madd_epi16(_mm_maddubs_epi16(inputs, weights), _mm_set1_epi16(1)));
}

static inline void finish(const ee_convolution_row *row, __m128i sums, uint32_t channel, uint8_t *pixel) {
    const __m128 least = _mm_set1_ps(-(float)row->zero_point), most = _mm_set1_ps(255 - (float)row->zero_point);
    __m128 value = _mm_mul_ps(_mm_cvtepi32_ps(sums), _mm_loadu_ps(row->scale + channel));
    value = _mm_min_ps(_mm_max_ps(value, least), most);
    const __m128i level = _mm_add_epi32(_mm_cvtps_epi32(value), _mm_set1_epi32(row->zero_point));
    const __m128i words = _mm_packs_epi32(level, level);
    const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(pixel + channel, &four, sizeof four); /* channels are a multiple of 4 */
}

#include "tile.h"

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = row->channels / LANES;
    uint32_t v = 0;
    for (; v + 2 <= vectors; v += 2)
        tiles(row, v, 4, 2);
    if (v < vectors)
        tiles(row, v, 7, 1);
}

static void addition(const ee_addition_row *row) {
    ee_addition(row);
}

const ee_native_kernels ee_native_sse41 = {"SSE4.1", convolution, addition};

EE_TARGET_END
#endif
