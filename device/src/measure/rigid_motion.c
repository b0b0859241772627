#include "rigid_motion.h"

#include <string.h>

enum {
    PARAMETERS = 4, /* of a similarity */
    TERMS = PARAMETERS + 1
};

uint32_t ee_motion_cells(uint32_t size_px) {
    const uint32_t block = (size_px + EE_MOTION_CELLS - 1) / EE_MOTION_CELLS;
    return size_px / block;
}

void ee_small_picture(const uint8_t *frame, uint32_t size_px, uint32_t cells, uint16_t *columns, int32_t *sums) {
    const uint32_t block = (size_px + EE_MOTION_CELLS - 1) / EE_MOTION_CELLS, used = cells * block;
    for (uint32_t y = 0; y < cells; y++) {
        memset(columns, 0, used * sizeof *columns);
        for (uint32_t i = 0; i < block; i++, frame += size_px) /* down first: whole rows at a time */
            for (uint32_t x = 0; x < used; x++)
                columns[x] = (uint16_t)(columns[x] + frame[x]);
        for (uint32_t x = 0; x < cells; x++) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < block; i++)
                sum += columns[x * block + i];
            *sums++ = sum;
        }
    }
}

/* Compute b' A^-1 b by the decomposition A = L D L'; the last row of `sums` is b. */
static double explained_part(double sums[TERMS][TERMS]) {
    double lower[PARAMETERS][PARAMETERS] = {{0}}, pivots[PARAMETERS] = {0}, solved[PARAMETERS] = {0}, explained = 0;
    for (int i = 0; i < PARAMETERS; i++) {
        for (int j = 0; j < i; j++) {
            double value = sums[i][j];
            for (int k = 0; k < j; k++)
                value = value - lower[i][k] * pivots[k] * lower[j][k];
            lower[i][j] = pivots[j] > 0 ? value / pivots[j] : 0;
        }
        double pivot = sums[i][i], rest = sums[PARAMETERS][i];
        for (int k = 0; k < i; k++) {
            pivot = pivot - lower[i][k] * pivots[k] * lower[i][k];
            rest = rest - lower[i][k] * solved[k];
        }
        if (pivot > EE_MIN_PIVOT_FRACTION * sums[i][i]) {
            pivots[i] = pivot;
            solved[i] = rest;
            explained = explained + rest * rest / pivot;
        }
    }
    return explained;
}

ee_change ee_explained_change(const int32_t *before, const int32_t *after, uint32_t cells) {
    double sums[TERMS][TERMS] = {{0}}, terms[TERMS][EE_MOTION_CELLS];
    const uint32_t inner = cells - 2;
    const double middle = (double)inner - 1; /* twice the place of the middle */
    for (uint32_t row = 0; row < inner; row++) {
        const int32_t *b = before + (row + 1) * cells + 1, *a = after + (row + 1) * cells + 1;
        const double y = 2 * (double)row - middle;
        for (uint32_t i = 0; i < inner; i++) {
            const double x = 2 * (double)i - middle;
            const double across = b[i + 1] + a[i + 1] - b[(int32_t)i - 1] - a[(int32_t)i - 1];
            const double down = b[i + cells] + a[i + cells] - b[(int32_t)(i - cells)] - a[(int32_t)(i - cells)];
            terms[0][i] = down;
            terms[1][i] = across;
            terms[2][i] = down * y + across * x;
            terms[3][i] = down * x - across * y;
            terms[PARAMETERS][i] = a[i] - b[i];
        }
        for (int i = 0; i < TERMS; i++) /* of whole numbers: exact in any order */
            for (int j = 0; j <= i; j++) {
                double pair[2] = {0, 0};
                uint32_t k = 0;
                for (; k + 1 < inner; k += 2) {
                    pair[0] += terms[i][k] * terms[j][k];
                    pair[1] += terms[i][k + 1] * terms[j][k + 1];
                }
                sums[i][j] += pair[0] + pair[1] + (k < inner ? terms[i][k] * terms[j][k] : 0);
            }
    }
    return (ee_change){explained_part(sums), sums[PARAMETERS][PARAMETERS]};
}
