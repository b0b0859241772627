/* A plan: the stream graph of a native device file, in the steps that the engine runs. docs/model-file.md has its layout;
 * its numbers are those of edgeecho/model/native_file.py. */
#ifndef EE_NATIVE_PLAN_H
#define EE_NATIVE_PLAN_H

#include "../../engine.h"

enum {
    EE_PLAN_VERSION = 1,
    EE_PLAN_HEADER_BYTES = 64,
    EE_PLAN_TENSOR_BYTES = 32,
    EE_PLAN_STEP_BYTES = 96,
    EE_PLAN_MAX_TENSORS = 256,
    EE_PLAN_MAX_STEPS = 256,
    EE_PLAN_MAX_SOURCES = 8,
    EE_PLAN_MAX_KERNEL = 32, /* side of a convolution's window */
    EE_PLAN_MAX_CHANNELS = 2048,
    EE_PLAN_MAX_WEIGHT = 64, /* in magnitude */
    EE_PLAN_MAX_ARENA_BYTES = 1 << 26,
    EE_PLAN_SLACK = 64, /* bytes behind a tensor that a kernel may read */
    EE_BLOCK = 16,      /* output channels of a block of packed weights */
    EE_QUAD = 4         /* input bytes that a kernel multiplies and adds at once */
};

typedef enum ee_place { EE_IN_ARENA, EE_IN_STATE, EE_IS_ANSWER } ee_place;

typedef struct ee_native_tensor { /* uint8 (height, width, channels) with a halo of `zero_point` about it */
    ee_place place;
    uint32_t height, width, channels, halo, zero_point;
    uint32_t slots;    /* frames that are kept: 1 outside the state */
    uint32_t ring;     /* number among the rings, for those in the state */
    size_t at;         /* of the first slot, in the arena or in the state */
    size_t row_bytes;  /* of a row with its halo */
    size_t slot_bytes; /* of a frame with its halo and the slack behind it */
} ee_native_tensor;

typedef enum ee_step_kind { EE_STEP_FRAME = 1, EE_STEP_CONVOLUTION, EE_STEP_ADDITION, EE_STEP_HEAD } ee_step_kind;

typedef struct ee_native_step {
    ee_step_kind kind;
    uint32_t output, sources;
    uint32_t source[EE_PLAN_MAX_SOURCES], age[EE_PLAN_MAX_SOURCES]; /* tensor, and how many frames ago */
    uint32_t kernel, stride, pad, quads;                            /* of a convolution */
    uint32_t factor;         /* by which an addition enlarges its first source; side of the head's blocks */
    float ratio[2];          /* of an addition: a level of each source, in levels of the output */
    const int8_t *weights;   /* [block][run][quad][16 output channels][4 inputs] */
    const int32_t *bias;     /* of each output channel, filled up to whole blocks */
    const int32_t *bias_128; /* the same for inputs of which 128 was subtracted */
    const float *scale;      /* of each sum */
    const uint8_t *table;    /* of the head: the answer to each of 256 values */
} ee_native_step;

typedef struct ee_plan {
    uint32_t tensors, steps, rings;
    size_t arena_bytes;
    ee_native_tensor tensor[EE_PLAN_MAX_TENSORS];
    ee_native_step step[EE_PLAN_MAX_STEPS];
} ee_plan;

/* Whether bytes begin as a plan does. */
int ee_is_plan(const uint8_t *bytes, size_t size);

/* Where the constants of a plan begin and how many bytes they have, for their copy; 0 if the header is out of bounds. */
int ee_plan_constants(const uint8_t *bytes, size_t size, uint32_t *at, uint32_t *count);

/*
 * Read and verify a plan: every number that decides where a kernel reads or writes is compared with what it must be, and
 * no sum can overflow.  `constants` is an aligned copy of the plan's constants, into which the steps point.
 */
edgeecho_status ee_plan_read(const ee_spec *spec, const uint8_t *bytes, size_t size, const uint8_t *constants,
                             ee_plan *plan, ee_error *error);

/* What ee_plan_read calls for each step behind its numbers; 0 and an error if it is refused. */
int ee_plan_check_step(const ee_plan *plan, uint32_t number, ee_error *error);

/* Number of runs of a convolution: rows of its window, or frames. */
uint32_t ee_plan_runs(const ee_native_step *step);

#endif
