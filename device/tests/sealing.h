/* Device files that a test changes: numbers in the header, and the checksum made right again. */
#ifndef EE_SEALING_H
#define EE_SEALING_H

#include <stddef.h>
#include <stdint.h>

#include "sha256.h"

enum { VERSION_AT = 8, BEGINS_AT = 12, GRAPH_SIZE_AT = 16, DIGEST_AT = 24, SPEC_AT = 56, STATES_AT = 92 };
enum { TENSORS_AT = 552, TENSOR_BYTES = 64, PROVEN_AT = 16, PROVEN_BYTES = 72 }; /* the last two: of the self-test */

static inline void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Where the self-test begins in a file of version 2. */
static inline size_t selftest_at(const uint8_t *bytes) {
    return TENSORS_AT + TENSOR_BYTES * (size_t)get_u32(bytes + STATES_AT);
}

static inline void digest_of(const uint8_t *bytes, size_t size, uint8_t digest[32]) {
    ee_sha256 sha;
    ee_sha256_begin(&sha);
    ee_sha256_add(&sha, bytes, size);
    ee_sha256_end(&sha, digest);
}

/* Make the checksum right again. */
static inline void seal(uint8_t *bytes, size_t size) {
    static const uint8_t zeros[32] = {0};
    ee_sha256 sha;
    if (size < SPEC_AT)
        return;
    ee_sha256_begin(&sha);
    ee_sha256_add(&sha, bytes, DIGEST_AT);
    ee_sha256_add(&sha, zeros, 32);
    ee_sha256_add(&sha, bytes + SPEC_AT, size - SPEC_AT);
    ee_sha256_end(&sha, bytes + DIGEST_AT);
}

#endif
