/* The native engine: what its own programs need beside ee_engine_kind. */
#ifndef EE_NATIVE_H
#define EE_NATIVE_H

#include "run.h"

typedef struct ee_native_engine {
    ee_engine base;
    const ee_native_kernels *kernels;
    const uint8_t *constants; /* of the plan, aligned, behind this struct */
    ee_plan plan;
} ee_native_engine;

#endif
