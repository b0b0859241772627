/* One run of a plan: every step on one frame. */
#ifndef EE_NATIVE_RUN_H
#define EE_NATIVE_RUN_H

#include "kernels.h"

typedef struct ee_native_run {
    const ee_plan *plan;
    const ee_native_kernels *kernels;
    const uint8_t *frame;
    uint8_t *prob, *state, *arena;
    uint64_t *step_ns; /* time of each step is added to it; NULL: it is not measured */
} ee_native_run;

/* Run the frame in `frame`: the answer is in `prob`, and the state becomes the next one. */
void ee_native_run_frame(const ee_native_run *run);

#endif
