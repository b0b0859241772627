#include "onnxruntime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os.h"

struct ee_binding {
    const OrtApi *api;
    uint32_t tensors;
    OrtValue *inputs[2][EE_ORT_TENSORS], *outputs[2][EE_ORT_TENSORS]; /* of a run that starts from state 0 or 1 */
};

int ee_ort_ok(const OrtApi *api, OrtStatus *status, ee_error *error) {
    if (!status)
        return 1;
    ee_set_foreign_error(error, "ONNX Runtime", api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return 0;
}

static const ee_ort_engine *ort_of(const ee_engine *engine) {
    return (const ee_ort_engine *)engine;
}

/* ONNX Runtime reads ONNX, which has no magic, and its own format; a plan of the native engine is neither. */
static int reads(const uint8_t *graph, size_t size) {
    return size > 0 && (size < 8 || memcmp(graph, "EENATIVE", 8) != 0);
}

static void ORT_API_CALL ignore_message(void *context, OrtLoggingLevel level, const char *category, const char *id,
                                        const char *location, const char *message) {
    (void)context, (void)level, (void)category, (void)id, (void)location, (void)message;
}

static void ORT_API_CALL pass_message(void *context, OrtLoggingLevel level, const char *category, const char *id,
                                      const char *location, const char *message) {
    const ee_log *log = context;
    (void)category, (void)id, (void)location;
    log->write(log->context, (int32_t)level, message);
}

/* Make the environment of ONNX Runtime, or join that of the program, whose reports then end here. */
static int create_env(ee_ort_engine *engine, ee_error *error) {
    const OrtApi *api = engine->api;
    return ee_ort_ok(
               api,
               api->CreateEnvWithCustomLogger(ignore_message, NULL, ORT_LOGGING_LEVEL_FATAL, "edgeecho", &engine->env),
               error) &&
           engine->env && ee_ort_ok(api, api->DisableTelemetryEvents(engine->env), error);
}

/* Set the options of a session. Its messages go to the log; without one there are none. */
static int set_options(ee_ort_engine *engine, OrtSessionOptions *options, uint32_t threads, ee_error *error) {
    const OrtApi *api = engine->api;
    const int level = engine->log.write ? ORT_LOGGING_LEVEL_WARNING : ORT_LOGGING_LEVEL_FATAL;
    return ee_ort_ok(api, api->SetIntraOpNumThreads(options, (int)threads), error) &&
           ee_ort_ok(api, api->SetInterOpNumThreads(options, 1), error) &&
           ee_ort_ok(api, api->SetSessionLogSeverityLevel(options, level), error) &&
           (!engine->log.write ||
            ee_ort_ok(api, api->SetUserLoggingFunction(options, pass_message, &engine->log), error)) &&
           ee_ort_ok(api, api->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"), error);
}

/*
 * Find the interface, in the oldest version that is enough.
 *
 * ONNX Runtime 1.32 for Linux is built to report to its maker: a thread, a database of events and a device id in the
 * home directory.  Only this variable keeps it from making them; it is set before the library is loaded.
 */
static int find_api(ee_ort_engine *engine, const ee_engine_options *options, ee_error *error) {
    if (!ee_set_default("ORT_DISABLE_TELEMETRY", "1")) {
        ee_set_error(error, "ORT_DISABLE_TELEMETRY cannot be set in the environment");
        return 0;
    }
    const OrtApiBase *base = ee_ort_find(options, error);
    if (!base)
        return 0;
    engine->api = base->GetApi(EE_ORT_API);
    if (!engine->api)
        ee_set_error(error, "ONNX Runtime %s is too old: 1.%d or later is needed", base->GetVersionString(),
                     EE_ORT_API);
    snprintf(engine->base.description, sizeof engine->base.description, "ONNX Runtime %s", base->GetVersionString());
    return engine->api != NULL;
}

/* Make the session of a graph. */
static int create_session(ee_ort_engine *engine, const uint8_t *graph, size_t size, uint32_t threads, ee_error *error) {
    const OrtApi *api = engine->api;
    OrtSessionOptions *options = NULL;
    const int made =
        create_env(engine, error) && ee_ort_ok(api, api->CreateSessionOptions(&options), error) && options &&
        set_options(engine, options, threads, error) &&
        ee_ort_ok(api, api->CreateSessionFromArray(engine->env, graph, size, options, &engine->session), error) &&
        engine->session &&
        ee_ort_ok(api, api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &engine->memory), error) &&
        engine->memory;
    if (options)
        api->ReleaseSessionOptions(options);
    return made;
}

static void close_engine(ee_engine *opened) {
    ee_ort_engine *engine = (ee_ort_engine *)opened;
    if (engine->memory)
        engine->api->ReleaseMemoryInfo(engine->memory);
    if (engine->session)
        engine->api->ReleaseSession(engine->session);
    if (engine->env)
        engine->api->ReleaseEnv(engine->env);
    free(engine);
}

static edgeecho_status open_engine(const ee_spec *spec, const uint8_t *graph, size_t size,
                                   const ee_engine_options *options, ee_engine **out, ee_error *error) {
    ee_ort_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        ee_set_error(error, "out of memory");
        return EDGEECHO_E_MEMORY;
    }
    engine->base.kind = &ee_onnxruntime;
    engine->log = options->log;
    ee_ort_set_names(engine, spec);
    edgeecho_status status = EDGEECHO_E_ENGINE;
    if (find_api(engine, options, error) && create_session(engine, graph, size, options->threads, error))
        status = ee_ort_graph_matches(engine, spec, error) ? EDGEECHO_OK : EDGEECHO_E_MODEL;
    if (status != EDGEECHO_OK) {
        close_engine(&engine->base);
        return status;
    }
    *out = &engine->base;
    return EDGEECHO_OK;
}

static size_t binding_bytes(const ee_engine *engine) {
    (void)engine;
    return sizeof(ee_binding);
}

static int bind_tensor(const ee_ort_engine *engine, uint8_t *data, size_t bytes, const int64_t *shape, size_t rank,
                       ee_type type, OrtValue **value, ee_error *error) {
    ONNXTensorElementDataType element =
        type == EE_UINT8 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    return ee_ort_ok(
               engine->api,
               engine->api->CreateTensorWithDataAsOrtValue(engine->memory, data, bytes, shape, rank, element, value),
               error) &&
           *value;
}

static void unbind(ee_binding *binding) {
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < binding->tensors; i++) {
            if (binding->inputs[k][i])
                binding->api->ReleaseValue(binding->inputs[k][i]);
            if (binding->outputs[k][i])
                binding->api->ReleaseValue(binding->outputs[k][i]);
        }
}

static edgeecho_status bind(const ee_engine *opened, const ee_spec *spec, const ee_buffers *buffers, void *memory,
                            ee_binding **out, ee_error *error) {
    const ee_ort_engine *engine = ort_of(opened);
    const int64_t picture[4] = {1, 1, spec->size_px, spec->size_px};
    const size_t pixels = (size_t)spec->size_px * spec->size_px;
    ee_binding *binding = memory;
    binding->api = engine->api;
    binding->tensors = engine->tensors;
    int bound = 1;
    for (int k = 0; k < 2 && bound; k++) {
        OrtValue **inputs = binding->inputs[k], **outputs = binding->outputs[k];
        size_t at = 0;
        bound = bind_tensor(engine, buffers->frame, pixels, picture, 4, EE_UINT8, &inputs[0], error) &&
                bind_tensor(engine, buffers->prob, pixels, picture, 4, EE_UINT8, &outputs[0], error);
        for (uint32_t i = 0; i < spec->states && bound; i++) {
            const ee_tensor *t = &spec->state[i];
            uint8_t *now = buffers->states[k] + at, *next = buffers->states[!k] + at;
            bound = bind_tensor(engine, now, t->bytes, t->shape, t->rank, t->type, &inputs[i + 1], error) &&
                    bind_tensor(engine, next, t->bytes, t->shape, t->rank, t->type, &outputs[i + 1], error);
            at += ee_aligned(t->bytes);
        }
    }
    if (!bound) {
        unbind(binding);
        return EDGEECHO_E_ENGINE;
    }
    *out = binding;
    return EDGEECHO_OK;
}

static edgeecho_status run(const ee_engine *opened, ee_binding *binding, int from, ee_error *error) {
    const ee_ort_engine *engine = ort_of(opened);
    const OrtValue *const *inputs = (const OrtValue *const *)binding->inputs[from];
    OrtStatus *status = engine->api->Run(engine->session, NULL, engine->inputs, inputs, engine->tensors,
                                         engine->outputs, engine->tensors, binding->outputs[from]);
    return ee_ort_ok(engine->api, status, error) ? EDGEECHO_OK : EDGEECHO_E_ENGINE;
}

const ee_engine_kind ee_onnxruntime = {
    .reads = reads,
    .open = open_engine,
    .close = close_engine,
    .binding_bytes = binding_bytes,
    .bind = bind,
    .unbind = unbind,
    .run = run,
};
