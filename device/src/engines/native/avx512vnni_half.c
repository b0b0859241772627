/* Kernel for AVX-512 with VNNI, for up to 8 output channels that are left: in vectors of 8. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx512f,avx512bw,avx512vl,avx512vnni")
#include "avx.h"

static inline __m256i dot(__m256i sums, __m256i inputs, __m256i weights) {
    return _mm256_dpbusd_epi32(sums, inputs, weights);
}

#include "tile.h"

EE_TILES(half_vector, 14, EE_VECTORS_1)

void ee_native_half_vector(const ee_convolution_row *row, uint32_t vector) {
    half_vector(row, vector);
}

EE_TARGET_END
#endif
