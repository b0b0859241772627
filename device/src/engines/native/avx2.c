/* Kernels for AVX2: products of bytes are added in pairs in 16 bits, which weights of 7 bits cannot saturate. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx2")
#include "avx.h"

static inline __m256i dot(__m256i sums, __m256i inputs, __m256i weights) {
    const __m256i pairs = _mm256_maddubs_epi16(inputs, weights);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "avx_addition.h"
#include "tile.h"

EE_TILES(two_vectors, 4, EE_VECTORS_2)
EE_TILES(one_vector, 7, EE_VECTORS_1)

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = (row->channels + LANES - 1) / LANES;
    uint32_t v = 0;
    for (; v + 2 <= vectors; v += 2)
        two_vectors(row, v);
    if (v < vectors)
        one_vector(row, v);
}

const ee_native_kernels ee_native_avx2 = {"AVX2", convolution, addition};

EE_TARGET_END
#endif
