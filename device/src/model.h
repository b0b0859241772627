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
    ee_log log;
    atomic_uint streams;
    atomic_flag is_noting; /* held while the error is read or written, for a copy of EE_ERROR_BYTES */
    ee_error error;        /* of the last call with the model that was refused, in any thread */
};

/* Log why a call with a model is refused, and keep it for edgeecho_model_error; returns `status`. */
edgeecho_status ee_refuse_model(const edgeecho_model *model, edgeecho_status status, const ee_error *error);

#endif
