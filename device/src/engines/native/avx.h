/* What the kernels for vectors of 8 sums share; `dot` is that of the file that includes this. */

#define sums_t __m256i
#define weights_t __m256i
#define inputs_t __m256i
#define EE_KEEP(sums) __asm__("" : "+x"(sums));
enum { LANES = 8 };

static inline __m256i none(void) {
    return _mm256_setzero_si256();
}

static inline __m256i take(const int8_t *weights) {
    return _mm256_loadu_si256((const __m256i *)(const void *)weights);
}

static inline __m256i spread(const uint8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return _mm256_set1_epi32(four);
}

static inline void finish(const ee_convolution_row *row, __m256i sums, uint32_t channel, uint8_t *pixel) {
    const __m256 least = _mm256_set1_ps(-(float)row->zero_point), most = _mm256_set1_ps(255 - (float)row->zero_point);
    sums = _mm256_add_epi32(sums, _mm256_loadu_si256((const __m256i *)(const void *)(row->bias + channel)));
    __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(row->scale + channel));
    value = _mm256_min_ps(_mm256_max_ps(value, least), most);
    const __m256i level = _mm256_add_epi32(_mm256_cvtps_epi32(value), _mm256_set1_epi32(row->zero_point));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(level), _mm256_extracti128_si256(level, 1));
    const __m128i bytes = _mm_packus_epi16(words, words);
    uint8_t eight[8];
    if (row->channels - channel >= LANES) {
        _mm_storel_epi64((__m128i *)(void *)(pixel + channel), bytes);
        return;
    }
    _mm_storel_epi64((__m128i *)(void *)eight, bytes);
    memcpy(pixel + channel, eight, row->channels - channel);
}
