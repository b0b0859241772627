/*
 * Tiles of a convolution: pixels x vectors of output channels, whose sums stay in registers.
 *
 * A file of kernels defines what follows, includes this, and makes its tiles with EE_TILES, or all with EE_CONVOLUTION:
 *
 *     sums_t, weights_t, inputs_t   types of a vector of sums, of weights, and of 4 inputs for each of its lanes
 *     LANES                         output channels of a vector: 4, 8 or 16
 *     EE_KEEP(sums)                 an empty asm that changes a vector of sums
 *     sums_t none(void), a vector of zeros
 *     weights_t take(const int8_t *weights)
 *     inputs_t spread(const uint8_t *four_inputs)
 *     sums_t dot(sums_t, inputs_t, weights_t)
 *     void finish(const ee_convolution_row *, sums_t, uint32_t channel, uint8_t *pixel), which adds the bias
 *
 * The sums are variables of their own, by macros, and each step passes through an empty asm: GCC 12 otherwise stores them
 * to memory at every step, at half of the speed.
 */

/* Lists of pixels: each calls M(pixel, V), where V is a list of vectors. */
#define EE_PIXELS_1(M, V) M(0, V)
#define EE_PIXELS_2(M, V) M(0, V) M(1, V)
#define EE_PIXELS_4(M, V) EE_PIXELS_2(M, V) M(2, V) M(3, V)
#define EE_PIXELS_6(M, V) EE_PIXELS_4(M, V) M(4, V) M(5, V)
#define EE_PIXELS_7(M, V) EE_PIXELS_6(M, V) M(6, V)
#define EE_PIXELS_8(M, V) EE_PIXELS_7(M, V) M(7, V)
#define EE_PIXELS_14(M, V) EE_PIXELS_8(M, V) M(8, V) M(9, V) M(10, V) M(11, V) M(12, V) M(13, V)

/* Lists of vectors: each calls N(pixel, vector). */
#define EE_VECTORS_1(N, p) N(p, 0)
#define EE_VECTORS_2(N, p) N(p, 0) N(p, 1)
#define EE_VECTORS_3(N, p) N(p, 0) N(p, 1) N(p, 2)
enum {
    COUNT_EE_PIXELS_1 = 1,
    COUNT_EE_PIXELS_2 = 2,
    COUNT_EE_PIXELS_4 = 4,
    COUNT_EE_PIXELS_6 = 6,
    COUNT_EE_PIXELS_7 = 7,
    COUNT_EE_PIXELS_8 = 8,
    COUNT_EE_PIXELS_14 = 14,
    COUNT_EE_VECTORS_1 = 1,
    COUNT_EE_VECTORS_2 = 2,
    COUNT_EE_VECTORS_3 = 3
};

#define EE_FROM(p, v)                                                                                                  \
    const int8_t *from_##v =                                                                                           \
        row->weights + (vector + v) / IN_BLOCK * block_bytes + (vector + v) % IN_BLOCK * (LANES * EE_QUAD);
#define EE_START(p, v) sums_t sums_##p##_##v = none();
#define EE_START_ALL(p, V) V(EE_START, p)
#define EE_TAKE(p, v) const weights_t weights_##v = take(from_##v + at);
#define EE_DOT(p, v)                                                                                                   \
    sums_##p##_##v = dot(sums_##p##_##v, inputs, weights_##v);                                                         \
    EE_KEEP(sums_##p##_##v)
#define EE_DOT_ALL(p, V)                                                                                               \
    {                                                                                                                  \
        const inputs_t inputs = spread(in + p * step);                                                                 \
        V(EE_DOT, p)                                                                                                   \
    }
#define EE_STORE(p, v) *to++ = sums_##p##_##v;
#define EE_STORE_ALL(p, V) V(EE_STORE, p)

/* Define the tile `name` of the pixels from `pixel` on and the vectors from `vector` on. */
#define EE_TILE(name, PIXELS, VECTORS)                                                                                 \
    static void name(const ee_convolution_row *row, uint32_t pixel, uint32_t vector) {                                 \
        enum { IN_BLOCK = EE_BLOCK / LANES };                                                                          \
        const size_t block_bytes = (size_t)row->runs * row->quads * EE_BLOCK * EE_QUAD, step = row->step;              \
        VECTORS(EE_FROM, 0)                                                                                            \
        PIXELS(EE_START_ALL, VECTORS)                                                                                  \
        size_t at = 0;                                                                                                 \
        for (uint32_t run = 0; run < row->runs; run++) {                                                               \
            const uint8_t *in = row->run[run] + pixel * step, *const end = in + (size_t)row->quads * EE_QUAD;          \
            for (; in != end; in += EE_QUAD, at += EE_BLOCK * EE_QUAD) {                                               \
                VECTORS(EE_TAKE, 0)                                                                                    \
                PIXELS(EE_DOT_ALL, VECTORS)                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        sums_t sums[COUNT_##PIXELS * COUNT_##VECTORS], *to = sums;                                                     \
        PIXELS(EE_STORE_ALL, VECTORS)                                                                                  \
        to = sums;                                                                                                     \
        for (uint32_t p = 0; p < COUNT_##PIXELS; p++)                                                                  \
            for (uint32_t v = 0; v < COUNT_##VECTORS; v++)                                                             \
                finish(row, *to++, (vector + v) * LANES, row->out + (size_t)(pixel + p) * row->channels);              \
    }

/* Define `name`, which computes the vectors from `vector` on of a whole row, by tiles of `count` pixels, of 2 and of 1. */
#define EE_TILES(name, count, VECTORS)                                                                                 \
    EE_TILE(name##_many, EE_PIXELS_##count, VECTORS)                                                                   \
    EE_TILE(name##_two, EE_PIXELS_2, VECTORS)                                                                          \
    EE_TILE(name##_one, EE_PIXELS_1, VECTORS)                                                                          \
    static void name(const ee_convolution_row *row, uint32_t vector) {                                                 \
        uint32_t pixel = 0;                                                                                            \
        for (; pixel + count <= row->pixels; pixel += count)                                                           \
            name##_many(row, pixel, vector);                                                                           \
        for (; pixel + 2 <= row->pixels; pixel += 2)                                                                   \
            name##_two(row, pixel, vector);                                                                            \
        for (; pixel < row->pixels; pixel++)                                                                           \
            name##_one(row, pixel, vector);                                                                            \
    }

/* Define `convolution`, which computes a row by pairs of vectors, in tiles of `two` pixels, and a vector that is left, in
   tiles of `one`. */
#define EE_CONVOLUTION(two, one)                                                                                       \
    EE_TILES(two_vectors, two, EE_VECTORS_2)                                                                           \
    EE_TILES(one_vector, one, EE_VECTORS_1)                                                                            \
    static void convolution(const ee_convolution_row *row) {                                                           \
        const uint32_t vectors = (row->channels + LANES - 1) / LANES;                                                  \
        uint32_t v = 0;                                                                                                \
        for (; v + 2 <= vectors; v += 2)                                                                               \
            two_vectors(row, v);                                                                                       \
        if (v < vectors)                                                                                               \
            one_vector(row, v);                                                                                        \
    }
