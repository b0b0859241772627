/* Which kernels this processor runs. */
#include <string.h>

#include "kernels.h"

#if defined(EE_NATIVE_NEON) && defined(__linux__)
#include <sys/auxv.h>
#endif

#if defined(EE_NATIVE_X86)
#include <cpuid.h>

static const ee_native_kernels *const KERNELS[] = {&ee_native_avx512vnni,
#if defined(EE_NATIVE_AVXVNNI)
                                                   &ee_native_avxvnni,
#endif
                                                   &ee_native_avx2, &ee_native_sse41, &ee_native_plain};

static int is_usable(const ee_native_kernels *kernels) {
    __builtin_cpu_init();
    if (kernels == &ee_native_avx512vnni)
        return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw");
#if defined(EE_NATIVE_AVXVNNI)
    if (kernels == &ee_native_avxvnni) { /* the builtin of GCC 11 does not know it: leaf 7, part 1, EAX, bit 4 */
        unsigned a = 0, b = 0, c = 0, d = 0;
        return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) && __builtin_cpu_supports("avx2");
    }
#endif
    if (kernels == &ee_native_avx2)
        return __builtin_cpu_supports("avx2");
    return kernels != &ee_native_sse41 || __builtin_cpu_supports("sse4.1");
}

#elif defined(EE_NATIVE_NEON)

static const ee_native_kernels *const KERNELS[] = {
#if defined(EE_NATIVE_DOTPROD)
    &ee_native_dotprod,
#endif
    &ee_native_neon, &ee_native_plain};

static int is_usable(const ee_native_kernels *kernels) {
#if defined(EE_NATIVE_DOTPROD) && defined(__linux__)
    enum { DOT_PRODUCT = 1 << 20 }; /* HWCAP_ASIMDDP of Linux */
    if (kernels == &ee_native_dotprod)
        return (getauxval(AT_HWCAP) & DOT_PRODUCT) != 0;
#elif defined(EE_NATIVE_DOTPROD) && !defined(__ARM_FEATURE_DOTPROD) && !defined(__APPLE__)
    if (kernels == &ee_native_dotprod) /* without an operating system to ask, only what the compiler was told */
        return 0;
#endif
#if defined(__arm__) && defined(__linux__)
    enum { NEON = 1 << 12 }; /* HWCAP_NEON of Linux */
    if (kernels == &ee_native_neon)
        return (getauxval(AT_HWCAP) & NEON) != 0;
#endif
    (void)kernels;
    return 1;
}

#elif defined(EE_NATIVE_SIMD128)

static const ee_native_kernels *const KERNELS[] = {&ee_native_simd128, &ee_native_plain};

static int is_usable(const ee_native_kernels *kernels) {
    (void)kernels; /* a browser without these instructions does not load the module */
    return 1;
}

#else

static const ee_native_kernels *const KERNELS[] = {&ee_native_plain};

static int is_usable(const ee_native_kernels *kernels) {
    return kernels == &ee_native_plain;
}

#endif

const ee_native_kernels *ee_native_kernels_at(size_t i) {
    return i < sizeof KERNELS / sizeof *KERNELS ? KERNELS[i] : NULL;
}

int ee_native_is_usable(size_t i) {
    const ee_native_kernels *kernels = ee_native_kernels_at(i);
    return kernels && is_usable(kernels);
}

const ee_native_kernels *ee_native_kernels_of(const char *name) {
    for (size_t i = 0; i < sizeof KERNELS / sizeof *KERNELS; i++)
        if ((!name || strcmp(name, KERNELS[i]->name) == 0) && is_usable(KERNELS[i]))
            return KERNELS[i];
    return NULL;
}
