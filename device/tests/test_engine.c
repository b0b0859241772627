/*
 * The engine behind its interface, where ONNX Runtime comes from, and the texts of errors.
 *
 *     test_engine MODEL                   checks both
 *     test_engine MODEL open [LIBRARY]    opens the graph with that library, or the one that is found; prints its
 *                                         version, or the error
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engines/onnxruntime.h"
#include "testing.h"

typedef struct device_file {
    ee_spec spec;
    const uint8_t *graph;
    size_t size;
} device_file;

static const device_file *read_device_file(const char *path) {
    static device_file file;
    size_t size;
    const uint8_t *bytes = read_whole(path, &size);
    ee_error error;
    CHECK(ee_device_file_read(bytes, size, &file.spec, &file.graph, &file.size, &error) == EDGEECHO_OK);
    return &file;
}

/* Open a graph, which must have this status; an error must contain a text. */
static ee_engine *open_graph(const device_file *f, const ee_engine_options *options, edgeecho_status status,
                             const char *text) {
    ee_engine *engine = NULL;
    ee_error error = {"of a call before"};
    const edgeecho_status found = ee_engine_open(&f->spec, f->graph, f->size, options, &engine, &error);
    if (found != status || !strstr(error.text, text) || (status == EDGEECHO_OK && error.text[0]))
        fprintf(stderr, "status %d, not %d, with '%s'\n", (int)found, (int)status, error.text);
    CHECK(found == status && strstr(error.text, text) && (error.text[0] == 0) == (status == EDGEECHO_OK));
    CHECK((engine != NULL) == (status == EDGEECHO_OK));
    return engine;
}

static const char *ORT_API_CALL old_version(void) {
    return "1.16.3";
}

static const OrtApi *ORT_API_CALL no_api(uint32_t version) {
    (void)version;
    return NULL;
}

static void check_engine(const device_file *good) {
    static const OrtApiBase old = {no_api, old_version};
    ee_engine_options options = {.threads = 1};
    device_file f = *good;
    ee_engine *engine = open_graph(&f, &options, EDGEECHO_OK, "");
    CHECK(strncmp(engine->description, "ONNX Runtime 1.", 15) == 0);
    ee_engine_close(engine);
    ee_engine_close(NULL);
    options.onnxruntime_api = &old;
    open_graph(&f, &options, EDGEECHO_E_ENGINE, "ONNX Runtime 1.16.3 is too old: 1.17 or later is needed");
    options.onnxruntime_api = NULL;
    options.onnxruntime_path = "/nowhere/libonnxruntime.so";
    open_graph(&f, &options, EDGEECHO_E_ENGINE, "/nowhere/libonnxruntime.so");
    options.onnxruntime_path = NULL;
    f.size /= 2;
    open_graph(&f, &options, EDGEECHO_E_ENGINE, "ONNX Runtime: ");
    f.size = 0;
    open_graph(&f, &options, EDGEECHO_E_MODEL, "for an engine that this library was built without");
    f = *good;
    f.spec.states--;
    open_graph(&f, &options, EDGEECHO_E_MODEL, "inputs and ");
    f = *good;
    f.spec.state[0].shape[f.spec.state[0].rank - 1]++;
    open_graph(&f, &options, EDGEECHO_E_MODEL, "input 1 of the graph");
    f = *good;
    f.spec.size_px++;
    open_graph(&f, &options, EDGEECHO_E_MODEL, "input 0 of the graph, 'frame'");
}

static void check_texts(void) {
    ee_error error;
    char text[2 * EE_ERROR_BYTES];
    ee_set_error(NULL, "%s", "nothing to write to");
    ee_set_error(&error, "line 1\nline %d", 2);
    CHECK(strcmp(error.text, "line 1 line 2") == 0);
    memset(text, 'a', sizeof text);
    memcpy(text + EE_ERROR_BYTES - 2, "\xc3\xa9", 3);
    ee_set_error(&error, "%s", text); /* its last character would be cut */
    CHECK(strlen(error.text) == EE_ERROR_BYTES - 2 && error.text[EE_ERROR_BYTES - 3] == 'a');
    ee_set_foreign_error(&error, "ONNX Runtime", "refused.\n");
    CHECK(strcmp(error.text, "ONNX Runtime: refused.") == 0);
    memset(text, 'b', sizeof text);
    strcpy(text + sizeof text - 8, "reason");
    ee_set_foreign_error(&error, "ONNX Runtime", text);
    CHECK(strstr(error.text, " ... b") && strcmp(error.text + strlen(error.text) - 7, "breason") == 0);
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    const device_file *file = read_device_file(argv[1]);
    if (argc == 2) {
        check_texts();
        check_engine(file);
        return 0;
    }
    const ee_engine_options options = {.threads = 1, .onnxruntime_path = argc > 3 ? argv[3] : NULL};
    ee_engine *engine = NULL;
    ee_error error;
    const edgeecho_status status = ee_engine_open(&file->spec, file->graph, file->size, &options, &engine, &error);
    printf("%s\n", engine ? engine->description : error.text);
    ee_engine_close(engine);
    return status != EDGEECHO_OK;
}
