/* Where the interface of ONNX Runtime comes from. */
#include "onnxruntime.h"

const OrtApiBase *ee_ort_find(const ee_engine_options *options, ee_error *error) {
    const OrtApiBase *base = options->onnxruntime_api ? options->onnxruntime_api : OrtGetApiBase();
    if (!base)
        ee_set_error(error, "ONNX Runtime gives no interface");
    return base;
}
