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

EE_CONVOLUTION(4, 7)

const ee_native_kernels ee_native_avx2 = {"AVX2", convolution, addition};

EE_TARGET_END
#endif
