/*
 * Kernels of the native engine: one table for each kind of processor, chosen when a model is opened.
 *
 * A kernel computes a row of output pixels.  All kernels read the same packed weights and give the same bytes; the file of
 * one is compiled for its instructions, so nothing in it may be called before ee_native_kernels has asked the processor.
 */
#ifndef EE_NATIVE_KERNELS_H
#define EE_NATIVE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "plan.h"

/* Kernels that this build has, by the processor that it is for. */
#if defined(__GNUC__) || defined(__clang__)
#if defined(__x86_64__) || defined(__i386__)
#define EE_NATIVE_X86 1
#if defined(__has_include)
#if __has_include(<avxvnniintrin.h>) /* from GCC 11 and clang 12 on */
#define EE_NATIVE_AVXVNNI 1
#endif
#endif
#elif defined(__aarch64__)
#define EE_NATIVE_NEON 1
#define EE_NATIVE_DOTPROD 1
#if defined(__clang__)
#define EE_DOTPROD_TARGET "dotprod"
#else
#define EE_DOTPROD_TARGET "arch=armv8.2-a+dotprod"
#endif
#elif defined(__arm__) && defined(__ARM_FP) && __ARM_ARCH >= 7 && (__ARM_ARCH_PROFILE == 'A' || defined(__ARM_NEON))
#define EE_NATIVE_NEON 1
#elif defined(__wasm_simd128__)
#define EE_NATIVE_SIMD128 1
#endif
#endif

/* Compile what follows in the file for these instructions, whatever the program is compiled for. */
#define EE_DO_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define EE_TARGET(names) EE_DO_PRAGMA(clang attribute push(__attribute__((target(names))), apply_to = function))
#define EE_TARGET_END _Pragma("clang attribute pop")
#else
#define EE_TARGET(names) EE_DO_PRAGMA(GCC target(names))
#define EE_TARGET_END
#endif

typedef struct ee_convolution_row {
    const uint8_t *run[EE_PLAN_MAX_KERNEL]; /* where each run of inputs of the first pixel begins */
    uint32_t runs, quads;                   /* a run has 4 `quads` bytes */
    size_t step;                            /* bytes from the inputs of a pixel to those of the next */
    uint32_t pixels, channels;              /* of the output */
    const int8_t *weights;
    const int32_t *bias, *bias_128;
    const float *scale;
    uint8_t zero_point; /* of the output */
    uint8_t *out;       /* pixel after pixel, `channels` bytes each */
} ee_convolution_row;

typedef struct ee_addition_row {
    const uint8_t *a, *b;           /* `a` is read for `factor` pixels each */
    uint32_t pixels, channels;      /* of the output */
    uint32_t factor;                /* 1 or 2 */
    float ratio_a, ratio_b, offset; /* out = a ratio_a + b ratio_b + offset, to the nearest */
    uint8_t *out;
} ee_addition_row;

typedef struct ee_native_kernels {
    const char *name;
    /* out = bias + sum of weight x input, times the scale, to the nearest (ties to even), plus the zero point. */
    void (*convolution)(const ee_convolution_row *row);
    void (*addition)(const ee_addition_row *row);
} ee_native_kernels;

/* The kernels of that name, or with NULL the fastest that this processor runs; NULL if there are none. */
const ee_native_kernels *ee_native_kernels_of(const char *name);

/* Kernel number `i`, from the fastest on, whether or not this processor runs it; NULL behind the last. */
const ee_native_kernels *ee_native_kernels_at(size_t i);

/* Whether this processor, and its operating system, run kernel number `i`. */
int ee_native_is_usable(size_t i);

/* A part of the kernels for AVX512-VNNI: vector `vector` of 8 output channels. */
void ee_native_half_vector(const ee_convolution_row *row, uint32_t vector);

extern const ee_native_kernels ee_native_plain;
#if defined(EE_NATIVE_X86)
extern const ee_native_kernels ee_native_sse41, ee_native_avx2, ee_native_avx512vnni;
extern const ee_native_kernels ee_native_avxvnni; /* with EE_NATIVE_AVXVNNI */
#elif defined(EE_NATIVE_NEON)
extern const ee_native_kernels ee_native_neon;
extern const ee_native_kernels ee_native_dotprod; /* with EE_NATIVE_DOTPROD */
#elif defined(EE_NATIVE_SIMD128)
extern const ee_native_kernels ee_native_simd128;
#endif

#endif
