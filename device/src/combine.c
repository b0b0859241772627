#include "combine.h"

#include <string.h>

void ee_combine_plain(const uint16_t *weights, uint32_t count, const uint8_t *first, size_t stride, uint32_t *sums) {
    uint32_t block[EE_BLOCK] = {0};
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < EE_BLOCK; i++)
            block[i] += (uint32_t)weights[k] * first[k * stride + i];
    memcpy(sums, block, sizeof block);
}

#if defined(__SSE2__)

/* x86 has a product of pairs of 16 bits, two rows at a time, and a slow one of 32 bits: compilers do not find it.
 * Weights, at most 1 << EE_WEIGHT_BITS, and levels fit into 15 bits. */
#include <immintrin.h>

/* Add 16 columns of two rows. */
static inline void add_pair(const uint8_t *upper, const uint8_t *lower, __m128i weight, __m128i total[4]) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i a = _mm_loadu_si128((const __m128i *)upper), b = _mm_loadu_si128((const __m128i *)lower);
    const __m128i left = _mm_unpacklo_epi8(a, b), right = _mm_unpackhi_epi8(a, b);
    total[0] = _mm_add_epi32(total[0], _mm_madd_epi16(_mm_unpacklo_epi8(left, zero), weight));
    total[1] = _mm_add_epi32(total[1], _mm_madd_epi16(_mm_unpackhi_epi8(left, zero), weight));
    total[2] = _mm_add_epi32(total[2], _mm_madd_epi16(_mm_unpacklo_epi8(right, zero), weight));
    total[3] = _mm_add_epi32(total[3], _mm_madd_epi16(_mm_unpackhi_epi8(right, zero), weight));
}

void ee_combine_sse2(const uint16_t *weights, uint32_t count, const uint8_t *first, size_t stride, uint32_t *sums) {
    const __m128i zero = _mm_setzero_si128();
    __m128i left[4] = {zero, zero, zero, zero}, right[4] = {zero, zero, zero, zero};
    for (uint32_t k = 0; k + 1 < count; k += 2, first += 2 * stride) {
        const __m128i weight = _mm_set1_epi32(weights[k] | weights[k + 1] << 16);
        add_pair(first, first + stride, weight, left);
        add_pair(first + EE_BLOCK / 2, first + stride + EE_BLOCK / 2, weight, right);
    }
    if (count % 2) { /* the last row with itself, whose weight is then 0 */
        const __m128i weight = _mm_set1_epi32(weights[count - 1]);
        add_pair(first, first, weight, left);
        add_pair(first + EE_BLOCK / 2, first + EE_BLOCK / 2, weight, right);
    }
    for (int i = 0; i < 4; i++) {
        _mm_storeu_si128((__m128i *)sums + i, left[i]);
        _mm_storeu_si128((__m128i *)sums + i + 4, right[i]);
    }
}

#if defined(__GNUC__)

int ee_has_avx2(void) {
    return __builtin_cpu_supports("avx2") != 0;
}

/* As above, 32 columns at a time: of each half of a register those numbers that stand in the same half of the next
 * one. */
__attribute__((target("avx2"))) void ee_combine_avx2(const uint16_t *weights, uint32_t count, const uint8_t *first,
                                                     size_t stride, uint32_t *sums) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i t0 = zero, t1 = zero, t2 = zero, t3 = zero;
    for (uint32_t k = 0; k < count; k += 2, first += 2 * stride) {
        const int has_other = k + 1 < count; /* else the row again, with a weight of 0 */
        const __m256i weight = _mm256_set1_epi32(weights[k] | (has_other ? weights[k + 1] << 16 : 0));
        const __m256i a = _mm256_loadu_si256((const __m256i *)first);
        const __m256i b = _mm256_loadu_si256((const __m256i *)(has_other ? first + stride : first));
        const __m256i left = _mm256_unpacklo_epi8(a, b), right = _mm256_unpackhi_epi8(a, b);
        t0 = _mm256_add_epi32(t0, _mm256_madd_epi16(_mm256_unpacklo_epi8(left, zero), weight));
        t1 = _mm256_add_epi32(t1, _mm256_madd_epi16(_mm256_unpackhi_epi8(left, zero), weight));
        t2 = _mm256_add_epi32(t2, _mm256_madd_epi16(_mm256_unpacklo_epi8(right, zero), weight));
        t3 = _mm256_add_epi32(t3, _mm256_madd_epi16(_mm256_unpackhi_epi8(right, zero), weight));
    }
    enum { LOWER_HALVES = 0x20, UPPER_HALVES = 0x31 };
    __m256i *out = (__m256i *)sums;
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(t0, t1, LOWER_HALVES));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(t2, t3, LOWER_HALVES));
    _mm256_storeu_si256(out + 2, _mm256_permute2x128_si256(t0, t1, UPPER_HALVES));
    _mm256_storeu_si256(out + 3, _mm256_permute2x128_si256(t2, t3, UPPER_HALVES));
}

#else

int ee_has_avx2(void) {
    return 0;
}

void ee_combine_avx2(const uint16_t *weights, uint32_t count, const uint8_t *first, size_t stride, uint32_t *sums) {
    ee_combine_sse2(weights, count, first, stride, sums);
}

#endif

ee_combine *ee_best_combine(void) {
    return ee_has_avx2() ? ee_combine_avx2 : ee_combine_sse2;
}

#else

ee_combine *ee_best_combine(void) {
    return ee_combine_plain;
}

#endif
