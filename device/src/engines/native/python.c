/* The native engine for edgeecho/runtime/engines/native_engine.py, which calls it through ctypes: a shared library of the
 * engine alone, beside the one of the whole device runtime. */
#include <string.h>

#include "../../os.h"
#include "native.h"

#if defined(_WIN32)
#define EE_PYTHON __declspec(dllexport)
#else
#define EE_PYTHON __attribute__((visibility("default")))
#endif

typedef struct ee_python_model {
    ee_engine *engine;
    uint8_t *arena;
} ee_python_model;

EE_PYTHON ee_python_model *edgeecho_native_open(const uint8_t *bytes, size_t size, const char *kernels, char *error,
                                                size_t error_size);
EE_PYTHON void edgeecho_native_close(ee_python_model *model);
EE_PYTHON const char *edgeecho_native_kernels(const ee_python_model *model);
EE_PYTHON const char *edgeecho_native_usable(size_t i);
EE_PYTHON void edgeecho_native_run_frame(const ee_python_model *model, const uint8_t *frame, uint8_t *prob,
                                         uint8_t *state);

static const ee_native_engine *engine_of(const ee_python_model *model) {
    return (const ee_native_engine *)model->engine;
}

/* Open the bytes of a device file; NULL and a sentence if it is refused.  `kernels` NULL: the fastest. */
ee_python_model *edgeecho_native_open(const uint8_t *bytes, size_t size, const char *kernels, char *error,
                                      size_t error_size) {
    ee_spec spec;
    ee_error why = {""};
    const uint8_t *graph = NULL;
    size_t graph_size = 0;
    const ee_engine_options options = {.threads = 1, .kernels = kernels};
    ee_python_model *model = ee_allocate(EE_ALIGNMENT, EE_ALIGNMENT);
    memset(&spec, 0, sizeof spec);
    if (!model)
        return NULL;
    memset(model, 0, sizeof *model);
    if (ee_device_file_read(bytes, size, &spec, &graph, &graph_size, &why) == EDGEECHO_OK &&
        ee_engine_open(&spec, graph, graph_size, &options, &model->engine, &why) == EDGEECHO_OK)
        model->arena = ee_allocate(EE_ALIGNMENT, ee_aligned(engine_of(model)->plan.arena_bytes + 1));
    if (model->arena)
        return model;
    ee_copy_error(&why, error, error_size);
    edgeecho_native_close(model);
    return NULL;
}

void edgeecho_native_close(ee_python_model *model) {
    ee_engine_close(model->engine);
    ee_free(model->arena);
    ee_free(model);
}

const char *edgeecho_native_kernels(const ee_python_model *model) {
    return engine_of(model)->kernels->name;
}

/* Name of kernel number `i`, empty if this processor does not run it; NULL behind the last. */
const char *edgeecho_native_usable(size_t i) {
    const ee_native_kernels *kernels = ee_native_kernels_at(i);
    return !kernels ? NULL : ee_native_is_usable(i) ? kernels->name : "";
}

/* Run a frame; the state becomes the next one.  A model runs one frame at a time. */
void edgeecho_native_run_frame(const ee_python_model *model, const uint8_t *frame, uint8_t *prob, uint8_t *state) {
    const ee_native_engine *engine = engine_of(model);
    const ee_native_run run = {.plan = &engine->plan,
                               .kernels = engine->kernels,
                               .frame = frame,
                               .prob = prob,
                               .state = state,
                               .arena = model->arena};
    ee_native_run_frame(&run);
}
