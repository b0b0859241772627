/*
 * Where the interface of ONNX Runtime comes from: the program's options or, by the way in which this library was built,
 * a library that is loaded (EE_ONNXRUNTIME_DLOPEN), the one that it is linked with (EE_ONNXRUNTIME_LINKED), or no other.
 */
#include "onnxruntime.h"

#if defined(EE_ONNXRUNTIME_DLOPEN)

#include "../os_library.h"

#define FUNCTION "OrtGetApiBase"
static const char FILE_NAME[] = EE_LIBRARY_FILE("onnxruntime", "1");

static const OrtApiBase *find(const char *path, ee_error *error) {
    ee_function found = path ? ee_load(path, FUNCTION, error) : ee_find_loaded(FILE_NAME, FUNCTION);
    if (!path && !found)
        found = ee_load_beside(FILE_NAME, FUNCTION);
    if (!path && !found)
        found = ee_load(FILE_NAME, FUNCTION, error);
    if (!found) {
        const ee_error reason = *error;
        ee_set_error(error, "no ONNX Runtime (put it beside this library, or give its path to open): %s", reason.text);
        return NULL;
    }
    error->text[0] = 0;
    return ((const OrtApiBase *(ORT_API_CALL *)(void))found)();
}

#elif defined(EE_ONNXRUNTIME_LINKED)

static const OrtApiBase *find(const char *path, ee_error *error) {
    if (!path)
        return OrtGetApiBase();
    ee_set_error(error, "this library is linked with ONNX Runtime and cannot load %s", path);
    return NULL;
}

#else

static const OrtApiBase *find(const char *path, ee_error *error) {
    (void)path;
    ee_set_error(error, "this library loads no ONNX Runtime: give onnxruntime_api to open");
    return NULL;
}

#endif

const OrtApiBase *ee_ort_find(const ee_engine_options *options, ee_error *error) {
    return options->onnxruntime_api ? options->onnxruntime_api : find(options->onnxruntime_path, error);
}
