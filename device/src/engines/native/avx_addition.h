/* The addition of a row for AVX2, 8 bytes at once. */
#include "addition.h"

static inline __m256 scaled(const uint8_t *bytes, __m256 ratio) {
    const __m128i eight = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight)), ratio);
}

static inline void add(const ee_addition_row *row, const uint8_t *a, const uint8_t *b, size_t count, uint8_t *out) {
    const __m256 ratio_a = _mm256_set1_ps(row->ratio_a), ratio_b = _mm256_set1_ps(row->ratio_b);
    const __m256 offset = _mm256_set1_ps(row->offset);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m256 sum = _mm256_add_ps(_mm256_add_ps(scaled(a + i, ratio_a), scaled(b + i, ratio_b)), offset);
        const __m256i level = _mm256_cvtps_epi32(sum);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(level), _mm256_extracti128_si256(level, 1));
        _mm_storel_epi64((__m128i *)(void *)(out + i), _mm_packus_epi16(words, words));
    }
    ee_add(row, a + i, b + i, count - i, out + i);
}

static void addition(const ee_addition_row *row) {
    EE_ADD_ROW(row, add);
}
