/* Weighted sums of rows of an image: the loop that reads each pixel of a region. */
#ifndef EE_COMBINE_H
#define EE_COMBINE_H

#include <stddef.h>
#include <stdint.h>

enum { EE_BLOCK = 32 }; /* columns whose sums stay in registers */

/* Sum EE_BLOCK columns of `count` rows from `first` on, with a weight for each row. All give the same numbers. */
typedef void ee_combine(const uint16_t *weights, uint32_t count, const uint8_t *first, size_t stride, uint32_t *sums);

ee_combine ee_combine_plain;
#if defined(__SSE2__)
ee_combine ee_combine_sse2;
ee_combine ee_combine_avx2; /* where ee_has_avx2 */

/* Whether this processor has AVX2, and the compiler could use it. */
int ee_has_avx2(void);
#endif

/* The fastest on this processor. */
ee_combine *ee_best_combine(void);

#endif
