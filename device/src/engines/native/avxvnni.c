/* Kernels for AVX-VNNI: 32 products of bytes an instruction. */
#include "kernels.h"

#if defined(EE_NATIVE_X86)
#include <immintrin.h>
#include <string.h>

EE_TARGET("avx2,avxvnni")
#include "avx.h"

static inline __m256i dot(__m256i sums, __m256i inputs, __m256i weights) {
    return _mm256_dpbusd_avx_epi32(sums, inputs, weights);
}

#include "avx_addition.h"
#include "tile.h"

EE_TILES(two_vectors, 6, EE_VECTORS_2)
EE_TILES(one_vector, 7, EE_VECTORS_1)

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = (row->channels + LANES - 1) / LANES;
    uint32_t v = 0;
    for (; v + 2 <= vectors; v += 2)
        two_vectors(row, v);
    if (v < vectors)
        one_vector(row, v);
}

const ee_native_kernels ee_native_avxvnni = {"AVX-VNNI", convolution, addition};

EE_TARGET_END
#endif
