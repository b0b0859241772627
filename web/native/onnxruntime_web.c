/*
 * The engine over onnxruntime-web: the network runs in JavaScript, everything else is the library's.
 *
 * It takes the place of device/src/engines/onnxruntime.c, of which it has the name.  A session of onnxruntime-web works
 * asynchronously: Asyncify lets the C code wait for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "imports.h"

enum { CONTRACT_BYTES = 200 * (EE_MAX_STATE + 1) };

typedef struct web_engine {
    ee_engine base;
    int session; /* number of the session in JavaScript */
} web_engine;

struct ee_binding {
    uint32_t tensors;
    uint8_t *inputs[2][EE_MAX_STATE + 1], *outputs[2][EE_MAX_STATE + 1]; /* of a run that starts from state 0 or 1 */
};

/* Any graph, as ONNX has no magic; the native engine is asked before. */
static int reads(const uint8_t *graph, size_t size) {
    (void)graph;
    return size > 0;
}

static size_t write_tensor(char *text, size_t room, const char *input, const char *output, const ee_tensor *t) {
    size_t used = (size_t)snprintf(text, room, "{\"input\":\"%s\",\"output\":\"%s\",\"type\":\"%s\",\"shape\":[", input,
                                   output, t->type == EE_UINT8 ? "uint8" : "float32");
    for (uint32_t axis = 0; axis < t->rank; axis++)
        used += (size_t)snprintf(text + used, room - used, "%s%d", axis ? "," : "", (int)t->shape[axis]);
    return used + (size_t)snprintf(text + used, room - used, "]},");
}

/* Write the inputs and outputs that the header states as a JSON list; names are those of `ee_ort_set_names`. */
static void write_contract(const ee_spec *spec, char text[CONTRACT_BYTES]) {
    const ee_tensor picture = {.type = EE_UINT8, .rank = 4, .shape = {1, 1, spec->size_px, spec->size_px}};
    char next[sizeof spec->state[0].name + sizeof "next_"];
    size_t used = 1;
    text[0] = '[';
    used += write_tensor(text + used, CONTRACT_BYTES - used, "frame", "prob", &picture);
    for (uint32_t i = 0; i < spec->states; i++) {
        snprintf(next, sizeof next, "next_%s", spec->state[i].name);
        used += write_tensor(text + used, CONTRACT_BYTES - used, spec->state[i].name, next, &spec->state[i]);
    }
    text[used - 1] = ']';
}

static void close_engine(ee_engine *engine) {
    ew_session_close(((web_engine *)engine)->session);
    free(engine);
}

static edgeecho_status open_engine(const ee_spec *spec, const uint8_t *graph, size_t size,
                                   const ee_engine_options *options, ee_engine **out, ee_error *error) {
    (void)options;
    char failure[EE_ERROR_BYTES] = "";
    web_engine *engine = calloc(1, sizeof *engine);
    char *contract = malloc(CONTRACT_BYTES);
    if (!engine || !contract) {
        free(engine), free(contract);
        ee_set_error(error, "out of memory");
        return EDGEECHO_E_MEMORY;
    }
    write_contract(spec, contract);
    engine->base.kind = &ee_onnxruntime;
    engine->session = ew_session_open(graph, size, contract, engine->base.description, sizeof engine->base.description,
                                      failure, sizeof failure);
    free(contract);
    if (engine->session < 0) {
        free(engine);
        ee_set_foreign_error(error, "onnxruntime-web", failure);
        return EDGEECHO_E_ENGINE;
    }
    *out = &engine->base;
    return EDGEECHO_OK;
}

static size_t binding_bytes(const ee_engine *engine) {
    (void)engine;
    return sizeof(ee_binding);
}

static edgeecho_status bind(const ee_engine *engine, const ee_spec *spec, const ee_buffers *buffers, void *memory,
                            ee_binding **out, ee_error *error) {
    (void)engine, (void)error;
    ee_binding *binding = memory;
    binding->tensors = 1 + spec->states;
    for (int k = 0; k < 2; k++) {
        size_t at = 0;
        binding->inputs[k][0] = buffers->frame;
        binding->outputs[k][0] = buffers->prob;
        for (uint32_t i = 0; i < spec->states; i++) {
            binding->inputs[k][i + 1] = buffers->states[k] + at;
            binding->outputs[k][i + 1] = buffers->states[!k] + at;
            at += ee_aligned(spec->state[i].bytes);
        }
    }
    *out = binding;
    return EDGEECHO_OK;
}

static void unbind(ee_binding *binding) {
    (void)binding;
}

static edgeecho_status run(const ee_engine *engine, ee_binding *binding, int from, ee_error *error) {
    char failure[EE_ERROR_BYTES] = "";
    if (ew_session_run(((const web_engine *)engine)->session, binding->inputs[from], binding->outputs[from], failure,
                       sizeof failure) == 0)
        return EDGEECHO_OK;
    ee_set_foreign_error(error, "onnxruntime-web", failure);
    return EDGEECHO_E_ENGINE;
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
