/*
 * A program with an ONNX Runtime of its own gives that to the library, and runs the self-test with it.
 *
 *     passed MODEL
 */
#include <edgeecho.h>
#include <onnxruntime_c_api.h>

#include "testing.h"

int main(int argc, char **argv) {
    edgeecho_model *model;
    edgeecho_info info = {.struct_size = sizeof info};
    edgeecho_selftest_result result = {.struct_size = sizeof result};
    const edgeecho_open_options options = {.struct_size = sizeof options, .onnxruntime_api = OrtGetApiBase()};
    CHECK(argc == 2);
    CHECK(edgeecho_open(argv[1], &options, &model) == EDGEECHO_OK);
    CHECK(edgeecho_describe(model, &info) == EDGEECHO_OK);
    CHECK(edgeecho_selftest(model, &result) == EDGEECHO_OK);
    printf("%s: %u of %u frames\n", info.engine, result.frames - result.frames_different, result.frames);
    return edgeecho_close(model) != EDGEECHO_OK;
}
