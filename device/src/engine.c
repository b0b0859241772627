#define _POSIX_C_SOURCE 200809L
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnxruntime_c_api.h>

enum {
    API = 17,                   /* oldest version of the interface with all functions that are used here */
    TENSORS = 1 + EE_MAX_STATE, /* the frame and the state */
    NAME_BYTES = 40             /* room for "next_" and the name of a state tensor */
};

struct ee_engine {
    const OrtApi *api;
    OrtEnv *env;
    OrtSession *session;
    OrtMemoryInfo *memory;
    uint32_t tensors; /* in, and as many out */
    const char *inputs[TENSORS], *outputs[TENSORS];
    char names[TENSORS][2][NAME_BYTES];
};

struct ee_binding {
    const OrtApi *api;
    uint32_t tensors;
    OrtValue *inputs[2][TENSORS], *outputs[2][TENSORS]; /* of a run that starts from state 0 or 1 */
};

static const OrtApi *find_api(void) {
    const OrtApiBase *base = OrtGetApiBase();
    return base ? base->GetApi(API) : NULL;
}

const char *ee_engine_version(void) {
    const OrtApiBase *base = OrtGetApiBase();
    return base ? base->GetVersionString() : "unknown";
}

size_t ee_aligned(size_t bytes) {
    return (bytes + EE_ALIGNMENT - 1) / EE_ALIGNMENT * EE_ALIGNMENT;
}

/* Whether a call succeeded; its message is dropped, as this library writes no log. */
static int ort_ok(const OrtApi *api, OrtStatus *status) {
    if (!status)
        return 1;
    api->ReleaseStatus(status);
    return 0;
}

static void ignore_message(void *context, OrtLoggingLevel level, const char *category, const char *id,
                           const char *location, const char *message) {
    (void)context, (void)level, (void)category, (void)id, (void)location, (void)message;
}

/*
 * ONNX Runtime 1.32 for Linux is built to report to its maker: a thread, a database of events and a device id in the
 * home directory.  Only this variable keeps it from making them; the call that disables events is for an ORT environment
 * that the program made before.
 */
static int create_env(const OrtApi *api, OrtEnv **env) {
    if (!getenv("ORT_DISABLE_TELEMETRY") && setenv("ORT_DISABLE_TELEMETRY", "1", 0) != 0)
        return 0;
    return ort_ok(api,
                  api->CreateEnvWithCustomLogger(ignore_message, NULL, ORT_LOGGING_LEVEL_FATAL, "edgeecho", env)) &&
           *env && ort_ok(api, api->DisableTelemetryEvents(*env));
}

static int set_options(const OrtApi *api, OrtSessionOptions *options, uint32_t threads) {
    return ort_ok(api, api->SetIntraOpNumThreads(options, (int)threads)) &&
           ort_ok(api, api->SetInterOpNumThreads(options, 1)) &&
           ort_ok(api, api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL)) &&
           ort_ok(api, api->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"));
}

/* Whether a value of the graph has this name, type and shape. */
static int is_tensor(const OrtApi *api, const char *found, const OrtTypeInfo *info, const char *name, ee_type type,
                     const int64_t *shape, size_t rank) {
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    ONNXTensorElementDataType element;
    int64_t dims[4];
    size_t axes = 0;
    if (strcmp(found, name) != 0 || !ort_ok(api, api->CastTypeInfoToTensorInfo(info, &tensor)) || !tensor ||
        !ort_ok(api, api->GetTensorElementType(tensor, &element)) ||
        !ort_ok(api, api->GetDimensionsCount(tensor, &axes)) || axes != rank ||
        !ort_ok(api, api->GetDimensions(tensor, dims, rank)))
        return 0;
    return element == (type == EE_UINT8 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) &&
           memcmp(dims, shape, rank * sizeof *dims) == 0;
}

static int value_matches(const ee_engine *engine, uint32_t i, int is_output, ee_type type, const int64_t *shape,
                         size_t rank) {
    const OrtApi *api = engine->api;
    OrtAllocator *allocator = NULL;
    OrtTypeInfo *info = NULL;
    char *found = NULL;
    int matches = ort_ok(api, api->GetAllocatorWithDefaultOptions(&allocator)) &&
                  ort_ok(api, is_output ? api->SessionGetOutputName(engine->session, i, allocator, &found)
                                        : api->SessionGetInputName(engine->session, i, allocator, &found)) &&
                  ort_ok(api, is_output ? api->SessionGetOutputTypeInfo(engine->session, i, &info)
                                        : api->SessionGetInputTypeInfo(engine->session, i, &info)) &&
                  is_tensor(api, found, info, engine->names[i][is_output], type, shape, rank);
    if (info)
        api->ReleaseTypeInfo(info);
    if (found)
        matches &= ort_ok(api, api->AllocatorFree(allocator, found));
    return matches;
}

/* Whether the inputs and outputs of the graph are those of its header. */
static int graph_matches(const ee_engine *engine, const ee_spec *spec) {
    const OrtApi *api = engine->api;
    const int64_t picture[4] = {1, 1, spec->size_px, spec->size_px};
    size_t inputs = 0, outputs = 0;
    if (!ort_ok(api, api->SessionGetInputCount(engine->session, &inputs)) ||
        !ort_ok(api, api->SessionGetOutputCount(engine->session, &outputs)) || inputs != engine->tensors ||
        outputs != engine->tensors)
        return 0;
    for (int is_output = 0; is_output < 2; is_output++) {
        if (!value_matches(engine, 0, is_output, EE_UINT8, picture, 4))
            return 0;
        for (uint32_t i = 0; i < spec->states; i++) {
            const ee_tensor *t = &spec->state[i];
            if (!value_matches(engine, i + 1, is_output, t->type, t->shape, t->rank))
                return 0;
        }
    }
    return 1;
}

static void set_names(ee_engine *engine, const ee_spec *spec) {
    engine->tensors = 1 + spec->states;
    for (uint32_t i = 0; i < engine->tensors; i++) {
        const char *state = i ? spec->state[i - 1].name : "";
        snprintf(engine->names[i][0], sizeof engine->names[i][0], "%s", i ? state : "frame");
        snprintf(engine->names[i][1], sizeof engine->names[i][1], "%s%s", i ? "next_" : "prob", state);
        engine->inputs[i] = engine->names[i][0];
        engine->outputs[i] = engine->names[i][1];
    }
}

edgeecho_status ee_engine_open(const ee_spec *spec, const uint8_t *graph, size_t size, uint32_t threads,
                               ee_engine **out) {
    const OrtApi *api = find_api();
    if (!api)
        return EDGEECHO_E_ENGINE;
    ee_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return EDGEECHO_E_MEMORY;
    OrtSessionOptions *options = NULL;
    engine->api = api;
    set_names(engine, spec);
    edgeecho_status status = EDGEECHO_E_ENGINE;
    if (create_env(api, &engine->env) && ort_ok(api, api->CreateSessionOptions(&options)) && options &&
        set_options(api, options, threads) &&
        ort_ok(api, api->CreateSessionFromArray(engine->env, graph, size, options, &engine->session)) &&
        engine->session &&
        ort_ok(api, api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &engine->memory)) && engine->memory)
        status = graph_matches(engine, spec) ? EDGEECHO_OK : EDGEECHO_E_MODEL;
    if (options)
        api->ReleaseSessionOptions(options);
    if (status != EDGEECHO_OK) {
        ee_engine_close(engine);
        return status;
    }
    *out = engine;
    return EDGEECHO_OK;
}

void ee_engine_close(ee_engine *engine) {
    if (!engine)
        return;
    if (engine->memory)
        engine->api->ReleaseMemoryInfo(engine->memory);
    if (engine->session)
        engine->api->ReleaseSession(engine->session);
    if (engine->env)
        engine->api->ReleaseEnv(engine->env);
    free(engine);
}

static int bind_tensor(const ee_engine *engine, uint8_t *data, size_t bytes, const int64_t *shape, size_t rank,
                       ee_type type, OrtValue **value) {
    ONNXTensorElementDataType element =
        type == EE_UINT8 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    return ort_ok(engine->api, engine->api->CreateTensorWithDataAsOrtValue(engine->memory, data, bytes, shape, rank,
                                                                           element, value)) &&
           *value;
}

edgeecho_status ee_binding_create(const ee_engine *engine, const ee_spec *spec, uint8_t *frame, uint8_t *prob,
                                  uint8_t *states[2], ee_binding **out) {
    const int64_t picture[4] = {1, 1, spec->size_px, spec->size_px};
    const size_t pixels = (size_t)spec->size_px * spec->size_px;
    ee_binding *binding = calloc(1, sizeof *binding);
    if (!binding)
        return EDGEECHO_E_MEMORY;
    binding->api = engine->api;
    binding->tensors = engine->tensors;
    int bound = 1;
    for (int k = 0; k < 2 && bound; k++) {
        size_t at = 0;
        bound = bind_tensor(engine, frame, pixels, picture, 4, EE_UINT8, &binding->inputs[k][0]) &&
                bind_tensor(engine, prob, pixels, picture, 4, EE_UINT8, &binding->outputs[k][0]);
        for (uint32_t i = 0; i < spec->states && bound; i++) {
            const ee_tensor *t = &spec->state[i];
            bound =
                bind_tensor(engine, states[k] + at, t->bytes, t->shape, t->rank, t->type, &binding->inputs[k][i + 1]) &&
                bind_tensor(engine, states[!k] + at, t->bytes, t->shape, t->rank, t->type, &binding->outputs[k][i + 1]);
            at += ee_aligned(t->bytes);
        }
    }
    if (!bound) {
        ee_binding_destroy(binding);
        return EDGEECHO_E_ENGINE;
    }
    *out = binding;
    return EDGEECHO_OK;
}

void ee_binding_destroy(ee_binding *binding) {
    if (!binding)
        return;
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < binding->tensors; i++) {
            if (binding->inputs[k][i])
                binding->api->ReleaseValue(binding->inputs[k][i]);
            if (binding->outputs[k][i])
                binding->api->ReleaseValue(binding->outputs[k][i]);
        }
    free(binding);
}

edgeecho_status ee_engine_run(const ee_engine *engine, ee_binding *binding, int from) {
    const OrtValue *const *inputs = (const OrtValue *const *)binding->inputs[from];
    OrtStatus *status = engine->api->Run(engine->session, NULL, engine->inputs, inputs, engine->tensors,
                                         engine->outputs, engine->tensors, binding->outputs[from]);
    return ort_ok(engine->api, status) ? EDGEECHO_OK : EDGEECHO_E_ENGINE;
}
