/* The engine over ONNX Runtime: what its files share. */
#ifndef EE_ONNXRUNTIME_H
#define EE_ONNXRUNTIME_H

#if defined(_WIN32) && !defined(_MSC_VER) /* what the header takes from Microsoft's compiler */
#define _stdcall __stdcall
#define _Return_type_success_(condition)
#define _Frees_ptr_opt_
#endif
#include <onnxruntime_c_api.h>

#include "../engine.h"

enum {
    EE_ORT_API = 17,                   /* oldest version of the interface with all functions that are used here */
    EE_ORT_TENSORS = 1 + EE_MAX_STATE, /* the frame and the state */
    EE_ORT_NAME_BYTES = 40             /* room for "next_" and the name of a state tensor */
};

typedef struct ee_ort_engine {
    ee_engine base;
    const OrtApi *api;
    OrtEnv *env;
    OrtSession *session;
    OrtMemoryInfo *memory;
    ee_log log;
    uint32_t tensors; /* in, and as many out */
    const char *inputs[EE_ORT_TENSORS], *outputs[EE_ORT_TENSORS];
    char names[EE_ORT_TENSORS][2][EE_ORT_NAME_BYTES];
} ee_ort_engine;

/* Whether a call succeeded; if not, its text goes to `error`. */
int ee_ort_ok(const OrtApi *api, OrtStatus *status, ee_error *error);

/* The interface of the program's own ONNX Runtime, or of one that is found; NULL with a reason in `error`. */
const OrtApiBase *ee_ort_find(const ee_engine_options *options, ee_error *error);

/* Set the names that the inputs and outputs of a graph must have. */
void ee_ort_set_names(ee_ort_engine *engine, const ee_spec *spec);

/* Whether the inputs and outputs of the session's graph are those of the device file's header. */
int ee_ort_graph_matches(const ee_ort_engine *engine, const ee_spec *spec, ee_error *error);

#endif
