/* Device files: a fixed little-endian header, then the graph; docs/model-file.md gives the layout. */
#ifndef EE_DEVICE_FILE_H
#define EE_DEVICE_FILE_H

#include "error.h"
#include "limits.h"

typedef enum ee_type { EE_UINT8 = EE_TYPE_UINT8, EE_FLOAT32 = EE_TYPE_FLOAT32 } ee_type;

typedef struct ee_tensor {
    char name[32];
    ee_type type;
    uint8_t zero_point;
    uint32_t rank;
    int64_t shape[4];
    size_t bytes;
} ee_tensor;

typedef struct ee_answer {      /* to a frame of the test cine */
    uint8_t prob[32], mask[32]; /* SHA-256 */
    uint32_t area_px;
} ee_answer;

typedef struct ee_selftest {
    uint32_t frames; /* 0: the file has no self-test */
    uint32_t max_levels;
    ee_answer answers[EE_MAX_TEST_FRAMES];
    const uint8_t *reference; /* `prob` of each frame, in the file's bytes; NULL if max_levels is 0 */
    size_t reference_bytes;
} ee_selftest;

typedef struct ee_spec {
    uint32_t size_px, before, after, threshold;
    uint32_t precision; /* EE_PRECISION_FP32 or EE_PRECISION_INT8 */
    uint64_t parameters;
    char name[64], licence[64], revision[64], intended_use[256];
    char sha256[65];
    uint32_t states;
    ee_tensor state[EE_MAX_STATE];
    size_t state_bytes;
    ee_selftest selftest;
} ee_spec;

/* Verify a device file; fill in the spec, and where in the bytes the graph lies.  Reads versions 1 and 2.  If it is
 * refused, `error` has the reason. */
edgeecho_status ee_device_file_read(const uint8_t *bytes, size_t size, ee_spec *spec, const uint8_t **graph,
                                    size_t *graph_size, ee_error *error);

#endif
