#include "engine.h"

static const ee_engine_kind *const KINDS[] = {
#if defined(EE_ENGINE_NATIVE)
    &ee_native,
#endif
#if defined(EE_ENGINE_ONNXRUNTIME)
    &ee_onnxruntime,
#endif
};

size_t ee_aligned(size_t bytes) {
    return (bytes + EE_ALIGNMENT - 1) / EE_ALIGNMENT * EE_ALIGNMENT;
}

edgeecho_status ee_engine_open(const ee_spec *spec, const uint8_t *graph, size_t size, const ee_engine_options *options,
                               ee_engine **engine, ee_error *error) {
    error->text[0] = 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (KINDS[i]->reads(graph, size))
            return KINDS[i]->open(spec, graph, size, options, engine, error);
#if defined(EE_ENGINE_ONNXRUNTIME)
    static const char other[] = "the device file of the ONNX graph";
#else
    static const char other[] = "the one that `edgeecho device-file --format native` writes";
#endif
    ee_set_error(error, "the device file has a graph for an engine that this library was built without: take %s",
                 other);
    return EDGEECHO_E_MODEL;
}

void ee_engine_close(ee_engine *engine) {
    if (engine)
        engine->kind->close(engine);
}
