/*
 * A row of a convolution in tiles of pixels x vectors of output channels, whose sums stay in registers.
 *
 * A file of kernels defines, and then includes this:
 *
 *     sums_t, weights_t, inputs_t   types of a vector of sums, of weights, and of 4 inputs for each of its lanes
 *     LANES                         output channels of a vector: 4, 8 or 16
 *     WIDE, NARROW                  pixels of a tile of one vector, and of VECTORS vectors
 *     VECTORS                       most vectors of a tile
 *     sums_t start(const ee_convolution_row *, uint32_t channel)
 *     weights_t take(const int8_t *weights)
 *     inputs_t spread(const uint8_t *four_inputs)
 *     sums_t dot(sums_t, inputs_t, weights_t)
 *     void finish(const ee_convolution_row *, sums_t, uint32_t channel, uint8_t *pixel)
 */
#define EE_INLINE static inline __attribute__((always_inline))
#define EE_UNROLL _Pragma("GCC unroll 16")

/* Sums of `pixels` x `vectors`, both of which are constants where this is called. */
EE_INLINE void tile(const ee_convolution_row *row, uint32_t pixel, uint32_t vector, const int pixels,
                    const int vectors) {
    enum { IN_BLOCK = EE_BLOCK / LANES };
    const size_t block_bytes = (size_t)row->runs * row->quads * EE_BLOCK * EE_QUAD, step = row->step;
    const int8_t *from[VECTORS];
    sums_t sums[WIDE][VECTORS];
    EE_UNROLL for (int v = 0; v < vectors; v++) {
        const uint32_t number = vector + (uint32_t)v;
        from[v] = row->weights + number / IN_BLOCK * block_bytes + number % IN_BLOCK * (LANES * EE_QUAD);
        EE_UNROLL for (int p = 0; p < pixels; p++) sums[p][v] = start(row, number * LANES);
    }
    size_t at = 0; /* in the weights of each block */
    for (uint32_t r = 0; r < row->runs; r++) {
        const uint8_t *in = row->run[r] + pixel * step, *const end = in + (size_t)row->quads * EE_QUAD;
        for (; in != end; in += EE_QUAD, at += EE_BLOCK * EE_QUAD) {
            weights_t weights[VECTORS];
            EE_UNROLL for (int v = 0; v < vectors; v++) weights[v] = take(from[v] + at);
            EE_UNROLL for (int p = 0; p < pixels; p++) {
                const inputs_t inputs = spread(in + (size_t)p * step);
                EE_UNROLL for (int v = 0; v < vectors; v++) sums[p][v] = dot(sums[p][v], inputs, weights[v]);
            }
        }
    }
    EE_UNROLL for (int p = 0; p < pixels; p++) {
        uint8_t *out = row->out + (size_t)(pixel + (uint32_t)p) * row->channels;
        EE_UNROLL for (int v = 0; v < vectors; v++) finish(row, sums[p][v], (vector + (uint32_t)v) * LANES, out);
    }
}

/* All pixels of a row, for `vectors` vectors of channels. */
EE_INLINE void tiles(const ee_convolution_row *row, uint32_t vector, const int pixels, const int vectors) {
    uint32_t x = 0;
    for (; x + (uint32_t)pixels <= row->pixels; x += (uint32_t)pixels)
        tile(row, x, vector, pixels, vectors);
    if (pixels > 7)
        for (; x + 7 <= row->pixels; x += 7)
            tile(row, x, vector, 7, vectors);
    if (pixels > 3)
        for (; x + 3 <= row->pixels; x += 3)
            tile(row, x, vector, 3, vectors);
    for (; x < row->pixels; x++)
        tile(row, x, vector, 1, vectors);
}
