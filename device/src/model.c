#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "struct_size.h"

uint32_t edgeecho_version(void) {
    return (uint32_t)EDGEECHO_VERSION_MAJOR << 16 | EDGEECHO_VERSION_MINOR << 8 | EDGEECHO_VERSION_PATCH;
}

const char *edgeecho_status_text(edgeecho_status status) {
    switch (status) {
    case EDGEECHO_OK: return "done";
    case EDGEECHO_MORE: return "nothing to give: not yet, not any more, or not in this device file";
    case EDGEECHO_E_ARGUMENT: return "an argument is NULL or out of its range, or a struct_size is not known";
    case EDGEECHO_E_FILE: return "the file cannot be read, or is larger than 1 GiB";
    case EDGEECHO_E_FORMAT: return "no EdgeEcho device file, or one of another version";
    case EDGEECHO_E_DAMAGED: return "the checksum does not hold, the device file is damaged; fetch or export it again";
    case EDGEECHO_E_MODEL: return "the device file is sound, but not a stream graph that this library can run";
    case EDGEECHO_E_ENGINE: return "ONNX Runtime refused the model or a run of it";
    case EDGEECHO_E_MEMORY: return "out of memory";
    case EDGEECHO_E_SIZE: return "a frame larger than the stream's most or other than its first, or a short buffer";
    case EDGEECHO_E_REGION: return "too little of the frame lies in the region, or the region is far larger than it";
    case EDGEECHO_E_BUSY: return "the model still has streams, or has too many";
    case EDGEECHO_E_SELFTEST: return "this processor does not give the answers that the device file states";
    default: return "no status of this library";
    }
}

/* Copy what the self-test needs of the file's bytes, which are not kept. */
static edgeecho_status keep_reference(edgeecho_model *model) {
    ee_selftest *test = &model->spec.selftest;
    if (!test->reference)
        return EDGEECHO_OK;
    model->reference = malloc(test->reference_bytes);
    if (!model->reference)
        return EDGEECHO_E_MEMORY;
    memcpy(model->reference, test->reference, test->reference_bytes);
    test->reference = model->reference;
    return EDGEECHO_OK;
}

static void free_model(edgeecho_model *model) {
    free(model->reference);
    free(model);
}

/* Read the options, as many as the program knows; 0 if one is out of bounds. */
static int read_options(const edgeecho_open_options *given, ee_engine_options *engine) {
    edgeecho_open_options o = {.struct_size = sizeof o};
    if (given && !ee_is_size_known(given->struct_size, EE_FIRST_OPEN_OPTIONS, sizeof o))
        return 0;
    if (given)
        ee_copy_out(&o, given->struct_size, given);
    *engine = (ee_engine_options){
        .threads = o.threads ? o.threads : 1,
        .onnxruntime_api = o.onnxruntime_api,
        .onnxruntime_path = o.onnxruntime_path,
    };
    return o.threads <= EE_MAX_THREADS;
}

edgeecho_status edgeecho_open_memory(const void *bytes, size_t size, const edgeecho_open_options *options,
                                     edgeecho_model **out) {
    if (!out)
        return EDGEECHO_E_ARGUMENT;
    *out = NULL;
    ee_engine_options engine;
    if (!bytes || !read_options(options, &engine))
        return EDGEECHO_E_ARGUMENT;
    edgeecho_model *model = calloc(1, sizeof *model);
    if (!model)
        return EDGEECHO_E_MEMORY;
    const uint8_t *graph = NULL;
    size_t graph_size = 0;
    ee_error error;
    edgeecho_status status = ee_device_file_read(bytes, size, &model->spec, &graph, &graph_size);
    if (status == EDGEECHO_OK)
        status = keep_reference(model);
    if (status == EDGEECHO_OK)
        status = ee_engine_open(&model->spec, graph, graph_size, &engine, &model->engine, &error);
    if (status != EDGEECHO_OK) {
        free_model(model);
        return status;
    }
    atomic_init(&model->streams, 0);
    *out = model;
    return EDGEECHO_OK;
}

/* Read the bytes of a file, which the caller frees. */
static edgeecho_status read_file(const char *path, uint8_t **bytes, size_t *size) {
    edgeecho_status status = EDGEECHO_E_FILE;
    FILE *file = fopen(path, "rb");
    if (!file)
        return status;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length > 0 && length <= EE_MAX_FILE_BYTES && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)length;
        *bytes = malloc(*size);
        status = !*bytes ? EDGEECHO_E_MEMORY : fread(*bytes, 1, *size, file) == *size ? EDGEECHO_OK : EDGEECHO_E_FILE;
    }
    fclose(file);
    return status;
}

edgeecho_status edgeecho_open(const char *path, const edgeecho_open_options *options, edgeecho_model **out) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!out)
        return EDGEECHO_E_ARGUMENT;
    *out = NULL;
    if (!path)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_status status = read_file(path, &bytes, &size);
    if (status == EDGEECHO_OK)
        status = edgeecho_open_memory(bytes, size, options, out);
    free(bytes);
    return status;
}

edgeecho_status edgeecho_describe(const edgeecho_model *model, edgeecho_info *info) {
    if (!model || !info || info->struct_size != sizeof *info)
        return EDGEECHO_E_ARGUMENT;
    const ee_spec *spec = &model->spec;
    *info = (edgeecho_info){
        .struct_size = sizeof *info,
        .name = spec->name,
        .licence = spec->licence,
        .intended_use = spec->intended_use,
        .revision = spec->revision,
        .precision = spec->precision == EE_PRECISION_FP32 ? "fp32" : "int8",
        .engine = model->engine->description,
        .sha256 = spec->sha256,
        .parameters = spec->parameters,
        .state_bytes = spec->state_bytes,
        .size_px = spec->size_px,
        .frames_before = spec->before,
        .delay_frames = spec->after,
        .threshold = spec->threshold,
    };
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_close(edgeecho_model *model) {
    if (!model)
        return EDGEECHO_OK;
    if (atomic_load(&model->streams))
        return EDGEECHO_E_BUSY;
    ee_engine_close(model->engine);
    free_model(model);
    return EDGEECHO_OK;
}
