/* A loaded model, which its streams share: `edgeecho_model`. */
#ifndef EE_MODEL_H
#define EE_MODEL_H

#include <stdatomic.h>

#include "engine.h"

enum { EE_MAX_STREAMS = 65535, EE_MAX_THREADS = 256 };

struct edgeecho_model {
    ee_spec spec;
    uint8_t *reference; /* what the self-test compares `prob` with; NULL if nothing */
    ee_engine *engine;
    atomic_uint streams;
};

#endif
