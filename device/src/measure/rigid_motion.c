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

void ee_make_small(const uint8_t *frame, uint32_t size_px, uint32_t cells, uint16_t *columns, ee_small *small) {
    const uint32_t block = (size_px + EE_MOTION_CELLS - 1) / EE_MOTION_CELLS, used = cells * block, inner = cells - 2;
    int32_t *level = small->levels, *smooth = small->smooth;
    for (uint32_t y = 0; y < cells; y++) {
        memset(columns, 0, used * sizeof *columns);
        for (uint32_t i = 0; i < block; i++, frame += size_px) /* down first: whole rows at a time */
            for (uint32_t x = 0; x < used; x++)
                columns[x] = (uint16_t)(columns[x] + frame[x]);
        for (uint32_t x = 0; x < cells; x++) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < block; i++)
                sum += columns[x * block + i];
            *level++ = EE_LEVEL_PARTS * sum / (int32_t)(block * block);
        }
    }
    level = small->levels;
    for (uint32_t y = 0; y < inner; y++, level += cells) {
        int32_t down[EE_MOTION_CELLS];
        for (uint32_t x = 0; x < cells; x++)
            down[x] = level[x] + 2 * level[x + cells] + level[x + 2 * cells];
        for (uint32_t x = 0; x < inner; x++)
            *smooth++ = down[x] + 2 * down[x + 1] + down[x + 2];
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

/* Find the cells with no cell near them that is dark in both pictures: 1, else 0. Beyond the edge nothing is dark. */
static void find_used(const int32_t *before, const int32_t *after, uint32_t cells, uint8_t *used) {
    enum { REACH = EE_DARK_REACH_CELLS, DARK = EE_LEVEL_PARTS * EE_MAX_DARK_LEVEL, SIDE = EE_MOTION_CELLS + 2 * REACH };
    uint8_t lit[SIDE * SIDE], rows[EE_MOTION_CELLS * SIDE];
    const uint32_t side = cells + 2 * REACH;
    memset(lit, 1, (size_t)side * side);
    for (uint32_t y = 0; y < cells; y++)
        for (uint32_t x = 0; x < cells; x++, before++, after++)
            lit[(y + REACH) * side + x + REACH] = *before > DARK || *after > DARK;
    for (uint32_t y = 0; y < cells; y++)
        for (uint32_t x = 0; x < side; x++) {
            uint8_t all = 1;
            for (uint32_t i = 0; i <= 2 * REACH; i++)
                all &= lit[(y + i) * side + x];
            rows[y * side + x] = all;
        }
    for (uint32_t y = 0; y < cells; y++)
        for (uint32_t x = 0; x < cells; x++) {
            uint8_t all = 1;
            for (uint32_t i = 0; i <= 2 * REACH; i++)
                all &= rows[y * side + x + i];
            *used++ = all;
        }
}

/* Add the products of all pairs of terms of a row: of whole numbers below 2^53, exact in any order. */
static void add_products(double terms[TERMS][EE_MOTION_CELLS], uint32_t count, double sums[TERMS][TERMS]) {
    for (int i = 0; i < TERMS; i++)
        for (int j = 0; j <= i; j++) {
            double pair[2] = {0, 0};
            uint32_t k = 0;
            for (; k + 1 < count; k += 2) {
                pair[0] += terms[i][k] * terms[j][k];
                pair[1] += terms[i][k + 1] * terms[j][k + 1];
            }
            sums[i][j] += pair[0] + pair[1] + (k < count ? terms[i][k] * terms[j][k] : 0);
        }
}

ee_change ee_explained_change(const ee_small *before, const ee_small *after, uint32_t cells) {
    double sums[TERMS][TERMS] = {{0}}, terms[TERMS][EE_MOTION_CELLS];
    uint8_t used[EE_MOTION_CELLS * EE_MOTION_CELLS];
    const int32_t smooth = (int32_t)cells - 2, inner = smooth - 2; /* cells that are smoothed, and have a gradient */
    find_used(before->levels, after->levels, cells, used);
    for (int32_t row = 0; row < inner; row++) {
        const int32_t *b = before->smooth + (row + 1) * smooth + 1, *a = after->smooth + (row + 1) * smooth + 1;
        const uint8_t *is_used = used + (size_t)(row + 2) * cells + 2;
        const int32_t y = 2 * row - (inner - 1); /* twice the place, from the middle */
        for (int32_t i = 0; i < inner; i++) {
            const int32_t x = 2 * i - (inner - 1), is = is_used[i];
            const int32_t across = b[i + 1] + a[i + 1] - b[i - 1] - a[i - 1];
            const int32_t down = b[i + smooth] + a[i + smooth] - b[i - smooth] - a[i - smooth];
            terms[0][i] = is * down;
            terms[1][i] = is * across;
            terms[2][i] = is * (down * y + across * x);
            terms[3][i] = is * (down * x - across * y);
            terms[PARAMETERS][i] = is * (a[i] - b[i]);
        }
        add_products(terms, (uint32_t)inner, sums);
    }
    return (ee_change){explained_part(sums), sums[PARAMETERS][PARAMETERS]};
}
