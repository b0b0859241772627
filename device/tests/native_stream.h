/* A native device file and a stream in its engine, for programs that look into the engine. */
#ifndef EE_NATIVE_STREAM_H
#define EE_NATIVE_STREAM_H

#include <string.h>

#include "engines/native/native.h"
#include "os.h"
#include "testing.h"

typedef struct native_file {
    ee_spec spec;
    uint8_t *bytes;
    const uint8_t *graph; /* in `bytes` */
    size_t size;          /* of the graph */
} native_file;

typedef struct native_stream {
    ee_engine *engine;
    ee_buffers buffers;
    void *memory;
    ee_binding *binding;
} native_stream;

static inline void native_read(native_file *file, const char *path) {
    size_t size;
    ee_error error;
    file->bytes = read_whole(path, &size);
    CHECK(ee_device_file_read(file->bytes, size, &file->spec, &file->graph, &file->size, &error) == EDGEECHO_OK);
    CHECK(ee_is_plan(file->graph, file->size));
}

/* Give an opened engine the memory of a stream, whose state is that before the first frame. */
static inline void native_bind(const native_file *file, native_stream *s) {
    const size_t pixels = ee_aligned((size_t)file->spec.size_px * file->spec.size_px);
    const size_t bytes = s->engine->kind->binding_bytes(s->engine);
    ee_error error;
    size_t state = 0, at = 0;
    for (uint32_t i = 0; i < file->spec.states; i++)
        state += ee_aligned(file->spec.state[i].bytes);
    uint8_t *block = ee_allocate(EE_ALIGNMENT, 2 * pixels + state + ee_aligned(bytes));
    CHECK(block);
    memset(block, 0, 2 * pixels + state + bytes);
    s->buffers = (ee_buffers){block, block + pixels, {block + 2 * pixels, block + 2 * pixels}};
    s->memory = block + 2 * pixels + state;
    for (uint32_t i = 0; i < file->spec.states; i++) {
        memset(s->buffers.states[0] + at, file->spec.state[i].zero_point, file->spec.state[i].bytes);
        at += ee_aligned(file->spec.state[i].bytes);
    }
    CHECK(s->engine->kind->bind(s->engine, &file->spec, &s->buffers, s->memory, &s->binding, &error) == EDGEECHO_OK);
}

static inline native_stream native_open(const native_file *file, const char *kernels) {
    native_stream s = {0};
    ee_error error;
    const ee_engine_options options = {.threads = 1, .kernels = kernels};
    CHECK(ee_engine_open(&file->spec, file->graph, file->size, &options, &s.engine, &error) == EDGEECHO_OK);
    native_bind(file, &s);
    return s;
}

static inline void native_close(native_stream *s) {
    s->engine->kind->unbind(s->binding);
    ee_free(s->buffers.frame);
    ee_engine_close(s->engine);
}

#endif
