/*
 * A stream graph in an engine.  An engine is one file of src/engines, which defines an `ee_engine_kind`; engine.c lists
 * them, and the graph inside a device file decides which one opens it.
 *
 * Errors: a function that returns a negative status has written a sentence to `error`, which is never NULL, the engine's
 * own text included.
 */
#ifndef EE_ENGINE_H
#define EE_ENGINE_H

#include "device_file.h"
#include "error.h"

typedef struct ee_engine_options {
    uint32_t threads;             /* that a run may use, the caller's included */
    const void *onnxruntime_api;  /* `const OrtApiBase *` of the program's own ONNX Runtime; NULL: find one */
    const char *onnxruntime_path; /* file of the library to load, UTF-8; NULL: search it */
    const char *kernels;          /* of the native engine, by name; NULL: the fastest that the processor has */
    ee_log log;
} ee_engine_options;

/* Memory that a stream gives to the runs of a graph, aligned to EE_ALIGNMENT. `frame` and `prob` have
   size_px * size_px bytes; each of the two states has ee_state_bytes, tensor after tensor, each aligned. */
typedef struct ee_buffers {
    uint8_t *frame, *prob;
    uint8_t *states[2];
} ee_buffers;

typedef struct ee_engine ee_engine;   /* a loaded graph; any number of threads may run it */
typedef struct ee_binding ee_binding; /* the graph's inputs and outputs in the buffers of one stream */

typedef struct ee_engine_kind {
    int keeps_state; /* whether a run changes state 0 in place; state 1 is then the same memory */
    /* Whether this engine runs graphs of this form; their contents may still be refused. */
    int (*reads)(const uint8_t *graph, size_t size);
    /* Load a graph, whose inputs and outputs must be those of `spec`. */
    edgeecho_status (*open)(const ee_spec *spec, const uint8_t *graph, size_t size, const ee_engine_options *options,
                            ee_engine **engine, ee_error *error);
    void (*close)(ee_engine *engine);
    /* Bytes of a binding, which stands in memory of its stream. */
    size_t (*binding_bytes)(const ee_engine *engine);
    /* Make a binding in `memory`, which is aligned to EE_ALIGNMENT and filled with zeros. */
    edgeecho_status (*bind)(const ee_engine *engine, const ee_spec *spec, const ee_buffers *buffers, void *memory,
                            ee_binding **binding, ee_error *error);
    /* Free what a binding holds beside its memory. */
    void (*unbind)(ee_binding *binding);
    /* Run the graph on the frame and state `from` (0 or 1); the other state becomes the next one. */
    edgeecho_status (*run)(const ee_engine *engine, ee_binding *binding, int from, ee_error *error);
} ee_engine_kind;

struct ee_engine { /* first member of each engine's own struct */
    const ee_engine_kind *kind;
    char description[64]; /* name and version, such as "ONNX Runtime 1.32.0" */
};

extern const ee_engine_kind ee_onnxruntime, ee_native;

/* Load a graph with the engine that reads its form; `error` is empty if it succeeds. */
edgeecho_status ee_engine_open(const ee_spec *spec, const uint8_t *graph, size_t size, const ee_engine_options *options,
                               ee_engine **engine, ee_error *error);

/* NULL is allowed. */
void ee_engine_close(ee_engine *engine);

enum { EE_ALIGNMENT = 64 }; /* of buffers in bytes: a line of the cache */

/* Round a size up to a multiple of EE_ALIGNMENT, so that the next buffer is aligned. */
size_t ee_aligned(size_t bytes);

#endif
