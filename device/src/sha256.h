/* SHA-256 (FIPS 180-4). */
#ifndef EE_SHA256_H
#define EE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct ee_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
} ee_sha256;

void ee_sha256_begin(ee_sha256 *sha);
void ee_sha256_add(ee_sha256 *sha, const void *bytes, size_t size);
void ee_sha256_end(ee_sha256 *sha, uint8_t digest[32]);

#endif
