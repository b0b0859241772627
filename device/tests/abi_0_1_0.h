/* The interface of version 0.1.0, without its comments: what a program that was compiled then knows.  It never changes. */
#ifndef EDGEECHO_H
#define EDGEECHO_H

#include <stddef.h>
#include <stdint.h>

#define EDGEECHO_VERSION_MAJOR 0
#define EDGEECHO_VERSION_MINOR 1
#define EDGEECHO_VERSION_PATCH 0

typedef struct edgeecho_model edgeecho_model;
typedef struct edgeecho_stream edgeecho_stream;

typedef int32_t edgeecho_status;
enum {
    EDGEECHO_OK = 0,
    EDGEECHO_MORE = 1,
    EDGEECHO_E_ARGUMENT = -1,
    EDGEECHO_E_FILE = -2,
    EDGEECHO_E_FORMAT = -3,
    EDGEECHO_E_DAMAGED = -4,
    EDGEECHO_E_MODEL = -5,
    EDGEECHO_E_ENGINE = -6,
    EDGEECHO_E_MEMORY = -7,
    EDGEECHO_E_SIZE = -8,
    EDGEECHO_E_REGION = -9,
    EDGEECHO_E_BUSY = -10
};

typedef struct edgeecho_open_options {
    size_t struct_size;
    uint32_t threads;
} edgeecho_open_options;

typedef struct edgeecho_info {
    size_t struct_size;
    const char *name;
    const char *licence;
    const char *intended_use;
    const char *revision;
    const char *precision;
    const char *engine;
    const char *sha256;
    uint64_t parameters;
    uint64_t state_bytes;
    uint32_t size_px;
    uint32_t frames_before;
    uint32_t delay_frames;
    uint32_t threshold;
} edgeecho_info;

typedef struct edgeecho_stream_options {
    size_t struct_size;
    uint32_t max_width, max_height;
    double fps;
    double row_mm, column_mm;
} edgeecho_stream_options;

typedef struct edgeecho_frame {
    size_t struct_size;
    const uint8_t *pixels;
    size_t stride_bytes;
    uint32_t width, height;
    int32_t roi_x, roi_y;
    uint32_t roi_width, roi_height;
} edgeecho_frame;

typedef struct edgeecho_result {
    size_t struct_size;
    uint64_t frame;
    double area_px;
    double area_mm2;
    double ef_percent;
    double edv_ml, esv_ml;
    double heart_rate_bpm;
    uint32_t beats;
    uint32_t beats_completed;
    uint32_t width, height;
    uint64_t push_ns;
    uint64_t engine_ns;
} edgeecho_result;

typedef struct edgeecho_beat {
    size_t struct_size;
    uint64_t ed_frame, es_frame;
    double ef_percent;
    double edv_ml, esv_ml;
    double heart_rate_bpm;
} edgeecho_beat;

uint32_t edgeecho_version(void);

const char *edgeecho_status_text(edgeecho_status status);

edgeecho_status edgeecho_open(const char *path, const edgeecho_open_options *options, edgeecho_model **model);
edgeecho_status edgeecho_open_memory(const void *bytes, size_t size, const edgeecho_open_options *options,
                                     edgeecho_model **model);
edgeecho_status edgeecho_describe(const edgeecho_model *model, edgeecho_info *info);

edgeecho_status edgeecho_close(edgeecho_model *model);

edgeecho_status edgeecho_stream_create(edgeecho_model *model, const edgeecho_stream_options *options,
                                       edgeecho_stream **stream);

void edgeecho_stream_destroy(edgeecho_stream *stream);

edgeecho_status edgeecho_push(edgeecho_stream *stream, const edgeecho_frame *frame);

edgeecho_status edgeecho_flush(edgeecho_stream *stream);

edgeecho_status edgeecho_reset(edgeecho_stream *stream);

edgeecho_status edgeecho_read(const edgeecho_stream *stream, edgeecho_result *result);

edgeecho_status edgeecho_mask(const edgeecho_stream *stream, uint8_t *mask, size_t size, size_t stride_bytes);

edgeecho_status edgeecho_beat_at(const edgeecho_stream *stream, uint32_t index, edgeecho_beat *beat);

#endif
