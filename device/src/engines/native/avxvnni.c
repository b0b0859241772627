/* Kernels for AVX-VNNI: 32 products of bytes an instruction. */
#include "kernels.h"

#if defined(EE_NATIVE_AVXVNNI)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx2,avxvnni")
#include "avx.h"

static inline __m256i dot(__m256i sums, __m256i inputs, __m256i weights) {
    return _mm256_dpbusd_avx_epi32(sums, inputs, weights);
}

#include "avx_addition.h"
#include "tile.h"

EE_CONVOLUTION(6, 7)

const ee_native_kernels ee_native_avxvnni = {"AVX-VNNI", convolution, addition};

EE_TARGET_END
#endif
