/* Kernels in plain C, for every processor, and the reference for the others. */
#include <string.h>

#include "addition.h"

/* Round to the nearest integer, ties to even, a number of less than 2^22 in magnitude. */
static int32_t nearest(float value) {
    const float magic = 12582912; /* 1.5 x 2^23: the sum's last bit counts ones */
    const float shifted = value + magic;
    int32_t bits, zero;
    memcpy(&bits, &shifted, sizeof bits);
    memcpy(&zero, &magic, sizeof zero);
    return bits - zero;
}

/* Scale, round and store the sums of one block of channels. */
static void store(const ee_convolution_row *row, const int32_t *sums, uint32_t block, uint8_t *out) {
    const uint32_t first = block * EE_BLOCK, left = row->channels - first;
    const float least = -(float)row->zero_point, most = 255 - (float)row->zero_point;
    for (uint32_t c = 0; c < EE_BLOCK && c < left; c++) {
        const float value = (float)sums[c] * row->scale[first + c];
        out[first + c] = (uint8_t)(nearest(value < least ? least : value > most ? most : value) + row->zero_point);
    }
}

static void convolution(const ee_convolution_row *row) {
    const uint32_t blocks = (row->channels + EE_BLOCK - 1) / EE_BLOCK;
    const int8_t *block_weights = row->weights;
    for (uint32_t block = 0; block < blocks; block++) {
        const int8_t *weights = block_weights;
        for (uint32_t x = 0; x < row->pixels; x++) {
            int32_t sums[EE_BLOCK];
            memcpy(sums, row->bias + block * EE_BLOCK, sizeof sums);
            weights = block_weights;
            for (uint32_t r = 0; r < row->runs; r++) {
                const uint8_t *in = row->run[r] + x * row->step;
                for (uint32_t q = 0; q < row->quads; q++, in += EE_QUAD)
                    for (int c = 0; c < EE_BLOCK; c++, weights += EE_QUAD)
                        sums[c] += in[0] * weights[0] + in[1] * weights[1] + in[2] * weights[2] + in[3] * weights[3];
            }
            store(row, sums, block, row->out + (size_t)x * row->channels);
        }
        block_weights = weights;
    }
}

static void addition(const ee_addition_row *row) {
    EE_ADD_ROW(row, ee_add);
}

const ee_native_kernels ee_native_plain = {"C", convolution, addition};
