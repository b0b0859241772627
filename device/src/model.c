#include "model.h"

#include <stdlib.h>
#include <string.h>
#if !defined(EE_NO_FILES)
#include <errno.h>
#include <stdio.h>
#endif

#include "struct_size.h"

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

/* Read the options, as many as the program knows; 0 and an error if one is out of bounds. */
static int read_options(const edgeecho_open_options *given, edgeecho_open_options *o, ee_error *error) {
    *o = (edgeecho_open_options){.struct_size = sizeof *o};
    error->text[0] = 0;
    if (!given)
        return 1;
    if (!ee_is_size_known(given->struct_size, EE_FIRST_OPEN_OPTIONS, sizeof *o)) {
        ee_set_error(error, EE_UNKNOWN_SIZE, "open options", given->struct_size, EE_FIRST_OPEN_OPTIONS, sizeof *o);
        return 0;
    }
    ee_copy_out(o, given->struct_size, given);
    if (o->threads > EE_MAX_THREADS)
        ee_set_error(error, "%u threads, at most %d can be", (unsigned)o->threads, EE_MAX_THREADS);
    return o->threads <= EE_MAX_THREADS;
}

static edgeecho_status open_bytes(const uint8_t *bytes, size_t size, const ee_engine_options *options,
                                  edgeecho_model **out, ee_error *error) {
    const uint8_t *graph = NULL;
    size_t graph_size = 0;
    edgeecho_model *model = calloc(1, sizeof *model);
    edgeecho_status status = EDGEECHO_E_MEMORY;
    if (model)
        status = ee_device_file_read(bytes, size, &model->spec, &graph, &graph_size, error);
    if (status == EDGEECHO_OK)
        status = keep_reference(model);
    if (status == EDGEECHO_E_MEMORY)
        ee_set_error(error, "out of memory");
    if (status == EDGEECHO_OK)
        status = ee_engine_open(&model->spec, graph, graph_size, options, &model->engine, error);
    if (status != EDGEECHO_OK) {
        if (model)
            free_model(model);
        return status;
    }
    model->log = options->log;
    atomic_init(&model->streams, 0);
    atomic_flag_clear(&model->is_noting);
    *out = model;
    return EDGEECHO_OK;
}

#if defined(EE_NO_FILES)

static edgeecho_status read_file(const char *path, uint8_t **bytes, size_t *size, ee_error *error) {
    (void)bytes, (void)size;
    ee_set_error(error, "this library was built without files and cannot open %s: give the bytes to open_memory", path);
    return EDGEECHO_E_FILE;
}

#else

/* Read the bytes of a file, which the caller frees. */
static edgeecho_status read_file(const char *path, uint8_t **bytes, size_t *size, ee_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        ee_set_error(error, "cannot open %s: %s", path, strerror(errno));
        return EDGEECHO_E_FILE;
    }
    edgeecho_status status = EDGEECHO_E_FILE;
    const long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    ee_set_error(error, "%s cannot be read as a file of 1 byte to 1 GiB", path);
    if (length > 0 && length <= EE_MAX_FILE_BYTES && fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)length;
        *bytes = malloc(*size);
        status = !*bytes ? EDGEECHO_E_MEMORY : fread(*bytes, 1, *size, file) == *size ? EDGEECHO_OK : EDGEECHO_E_FILE;
    }
    if (status == EDGEECHO_E_MEMORY)
        ee_set_error(error, "out of memory for %s, %ld bytes", path, length);
    fclose(file);
    return status;
}

#endif

/* Open a file, or bytes where there is no path. */
static edgeecho_status open_model(const char *path, const void *bytes, size_t size, const edgeecho_open_options *given,
                                  edgeecho_model **out) {
    edgeecho_open_options o;
    ee_error error;
    uint8_t *read = NULL;
    if (!out)
        return EDGEECHO_E_ARGUMENT;
    *out = NULL;
    edgeecho_status status = read_options(given, &o, &error) ? EDGEECHO_OK : EDGEECHO_E_ARGUMENT;
    if (status == EDGEECHO_OK && !path && !bytes) {
        ee_set_error(&error, "no path and no bytes of a device file were given: NULL");
        status = EDGEECHO_E_ARGUMENT;
    }
    if (status == EDGEECHO_OK && path)
        status = read_file(path, &read, &size, &error);
    const ee_engine_options options = {.threads = o.threads ? o.threads : 1,
                                       .onnxruntime_api = o.onnxruntime_api,
                                       .onnxruntime_path = o.onnxruntime_path,
                                       .log = {o.log, o.log_context}};
    if (status == EDGEECHO_OK)
        status = open_bytes(path ? read : bytes, size, &options, out, &error);
    free(read);
    if (status != EDGEECHO_OK)
        ee_log_error(&options.log, &error);
    else
        error.text[0] = 0;
    ee_copy_error(&error, o.error, o.error_size);
    return status;
}

edgeecho_status edgeecho_open_memory(const void *bytes, size_t size, const edgeecho_open_options *options,
                                     edgeecho_model **out) {
    return open_model(NULL, bytes, size, options, out);
}

edgeecho_status edgeecho_open(const char *path, const edgeecho_open_options *options, edgeecho_model **out) {
    return open_model(path, NULL, 0, options, out);
}

edgeecho_status ee_refuse_model(const edgeecho_model *model, edgeecho_status status, const ee_error *error) {
    edgeecho_model *m = (edgeecho_model *)model; /* a model is never constant itself */
    while (atomic_flag_test_and_set_explicit(&m->is_noting, memory_order_acquire))
        continue;
    m->error = *error;
    atomic_flag_clear_explicit(&m->is_noting, memory_order_release);
    ee_log_error(&m->log, error);
    return status;
}

edgeecho_status edgeecho_model_error(const edgeecho_model *model, char *text, size_t size) {
    edgeecho_model *m = (edgeecho_model *)model;
    if (!m || !text || !size)
        return EDGEECHO_E_ARGUMENT;
    while (atomic_flag_test_and_set_explicit(&m->is_noting, memory_order_acquire))
        continue;
    ee_copy_error(&m->error, text, size);
    atomic_flag_clear_explicit(&m->is_noting, memory_order_release);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_describe(const edgeecho_model *model, edgeecho_info *info) {
    ee_error error;
    if (!model)
        return EDGEECHO_E_ARGUMENT;
    if (!info || !ee_is_size_known(info->struct_size, EE_FIRST_INFO, sizeof *info)) {
        ee_set_error(&error, "%s", info ? "struct_size of the info is not known" : "no info to fill in: NULL");
        return ee_refuse_model(model, EDGEECHO_E_ARGUMENT, &error);
    }
    const ee_spec *spec = &model->spec;
    const edgeecho_info found = {
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
    ee_copy_out(info, info->struct_size, &found);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_close(edgeecho_model *model) {
    ee_error error;
    if (!model)
        return EDGEECHO_OK;
    const unsigned streams = atomic_load(&model->streams);
    if (streams) {
        ee_set_error(&error, "the model still has %u streams: destroy them before it is closed", streams);
        return ee_refuse_model(model, EDGEECHO_E_BUSY, &error);
    }
    ee_engine_close(model->engine);
    free_model(model);
    return EDGEECHO_OK;
}
