/* The inputs and outputs of a graph in ONNX Runtime, compared with the header of its device file. */
#include <stdio.h>
#include <string.h>

#include "onnxruntime.h"

void ee_ort_set_names(ee_ort_engine *engine, const ee_spec *spec) {
    engine->tensors = 1 + spec->states;
    for (uint32_t i = 0; i < engine->tensors; i++) {
        const char *state = i ? spec->state[i - 1].name : "";
        snprintf(engine->names[i][0], sizeof engine->names[i][0], "%s", i ? state : "frame");
        snprintf(engine->names[i][1], sizeof engine->names[i][1], "%s%s", i ? "next_" : "prob", state);
        engine->inputs[i] = engine->names[i][0];
        engine->outputs[i] = engine->names[i][1];
    }
}

/* Whether a value has this type and shape. */
static int is_tensor(const OrtApi *api, const OrtTypeInfo *info, const ee_tensor *wanted, ee_error *error) {
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    ONNXTensorElementDataType element;
    int64_t dims[4];
    size_t axes = 0;
    if (!ee_ort_ok(api, api->CastTypeInfoToTensorInfo(info, &tensor), error) || !tensor ||
        !ee_ort_ok(api, api->GetTensorElementType(tensor, &element), error) ||
        !ee_ort_ok(api, api->GetDimensionsCount(tensor, &axes), error) || axes != wanted->rank ||
        !ee_ort_ok(api, api->GetDimensions(tensor, dims, axes), error))
        return 0;
    return element ==
               (wanted->type == EE_UINT8 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) &&
           memcmp(dims, wanted->shape, axes * sizeof *dims) == 0;
}

/* Whether input or output `i` of the graph has the name, type and shape of the header. */
static int value_matches(const ee_ort_engine *engine, uint32_t i, int is_output, const ee_tensor *wanted,
                         ee_error *error) {
    const OrtApi *api = engine->api;
    OrtAllocator *allocator = NULL;
    OrtTypeInfo *info = NULL;
    char *found = NULL;
    int matches = ee_ort_ok(api, api->GetAllocatorWithDefaultOptions(&allocator), error) &&
                  ee_ort_ok(api,
                            is_output ? api->SessionGetOutputName(engine->session, i, allocator, &found)
                                      : api->SessionGetInputName(engine->session, i, allocator, &found),
                            error) &&
                  ee_ort_ok(api,
                            is_output ? api->SessionGetOutputTypeInfo(engine->session, i, &info)
                                      : api->SessionGetInputTypeInfo(engine->session, i, &info),
                            error) &&
                  strcmp(found, engine->names[i][is_output]) == 0 && is_tensor(api, info, wanted, error);
    if (!matches && !error->text[0])
        ee_set_error(error, "%s %u of the graph, '%s', is not '%s' with the type and shape of the header",
                     is_output ? "output" : "input", (unsigned)i, found ? found : "", engine->names[i][is_output]);
    if (info)
        api->ReleaseTypeInfo(info);
    if (found)
        matches &= ee_ort_ok(api, api->AllocatorFree(allocator, found), error);
    return matches;
}

int ee_ort_graph_matches(const ee_ort_engine *engine, const ee_spec *spec, ee_error *error) {
    const OrtApi *api = engine->api;
    const ee_tensor picture = {.type = EE_UINT8, .rank = 4, .shape = {1, 1, spec->size_px, spec->size_px}};
    size_t inputs = 0, outputs = 0;
    if (!ee_ort_ok(api, api->SessionGetInputCount(engine->session, &inputs), error) ||
        !ee_ort_ok(api, api->SessionGetOutputCount(engine->session, &outputs), error))
        return 0;
    if (inputs != engine->tensors || outputs != engine->tensors) {
        ee_set_error(error, "the graph has %lu inputs and %lu outputs; by the header it has %lu of each",
                     (unsigned long)inputs, (unsigned long)outputs, (unsigned long)engine->tensors);
        return 0;
    }
    for (int is_output = 0; is_output < 2; is_output++)
        for (uint32_t i = 0; i < engine->tensors; i++)
            if (!value_matches(engine, i, is_output, i ? &spec->state[i - 1] : &picture, error))
                return 0;
    return 1;
}
