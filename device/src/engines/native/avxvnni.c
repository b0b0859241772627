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

#include "tile.h"

static void convolution(const ee_convolution_row *row) {
    const uint32_t vectors = (row->channels + LANES - 1) / LANES;
    uint32_t v = 0;
    for (; v + 2 <= vectors; v += 2)
        tiles(row, v, 6, 2);
    if (v < vectors)
        tiles(row, v, 7, 1);
}

static void addition(const ee_addition_row *row) {
    ee_addition(row);
}

const ee_native_kernels ee_native_avxvnni = {"AVX-VNNI", convolution, addition};

EE_TARGET_END
#endif
