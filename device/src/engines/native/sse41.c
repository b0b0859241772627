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
#define EE_KEEP(sums) __asm__("" : "+x"(sums));
enum { LANES = 4 };

static inline __m128i none(void) {
    return _mm_setzero_si128();
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
    sums = _mm_add_epi32(sums, _mm_loadu_si128((const __m128i *)(const void *)(row->bias + channel)));
    __m128 value = _mm_mul_ps(_mm_cvtepi32_ps(sums), _mm_loadu_ps(row->scale + channel));
    value = _mm_min_ps(_mm_max_ps(value, least), most);
    const __m128i level = _mm_add_epi32(_mm_cvtps_epi32(value), _mm_set1_epi32(row->zero_point));
    const __m128i words = _mm_packs_epi32(level, level);
    const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(pixel + channel, &four, sizeof four); /* channels are a multiple of 4 */
}

#include "tile.h"

EE_CONVOLUTION(4, 7)

static inline __m128 scaled(const uint8_t *bytes, __m128 ratio) {
    int32_t four;
    memcpy(&four, bytes, sizeof four);
    return _mm_mul_ps(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four))), ratio);
}

static inline void add(const ee_addition_row *row, const uint8_t *a, const uint8_t *b, size_t count, uint8_t *out) {
    const __m128 ratio_a = _mm_set1_ps(row->ratio_a), ratio_b = _mm_set1_ps(row->ratio_b);
    const __m128 offset = _mm_set1_ps(row->offset);
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const __m128 sum = _mm_add_ps(_mm_add_ps(scaled(a + i, ratio_a), scaled(b + i, ratio_b)), offset);
        const __m128i words = _mm_packs_epi32(_mm_cvtps_epi32(sum), _mm_setzero_si128());
        const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        memcpy(out + i, &four, sizeof four);
    }
    ee_add(row, a + i, b + i, count - i, out + i);
}

static void addition(const ee_addition_row *row) {
    EE_ADD_ROW(row, add);
}

const ee_native_kernels ee_native_sse41 = {"SSE4.1", convolution, addition};

EE_TARGET_END
#endif
