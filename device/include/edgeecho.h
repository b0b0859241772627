/*
 * EdgeEcho: the left ventricle in live echo frames.  Research software, not a medical device.
 *
 *     edgeecho_model *model;
 *     edgeecho_stream *stream;
 *     edgeecho_stream_options options = {sizeof options};
 *     edgeecho_frame frame = {sizeof frame};
 *     edgeecho_result result = {sizeof result};
 *
 *     edgeecho_open("stream.int8.edgeecho", NULL, &model);
 *     options.max_width = 800, options.max_height = 600, options.fps = 50;
 *     edgeecho_stream_create(model, &options, &stream);
 *     frame.width = 800, frame.height = 600, frame.stride_bytes = 800;
 *     frame.roi_x = 120, frame.roi_y = 20, frame.roi_width = 560, frame.roi_height = 560;
 *     while ((frame.pixels = next_frame()))
 *         if (edgeecho_push(stream, &frame) == EDGEECHO_OK) {
 *             edgeecho_read(stream, &result);                  area, EF, heart rate
 *             edgeecho_mask(stream, mask, sizeof mask, 800);   the outline's inside
 *         }
 *     edgeecho_stream_destroy(stream);
 *     edgeecho_close(model);
 *
 * Status.  Every call that can fail returns 0, a positive status (nothing there yet), or a negative one (refused, and
 * nothing has changed, but for EDGEECHO_E_ENGINE from a push, which resets the stream).
 * Structs.  Set `struct_size` to sizeof, and every field that is not used to 0.
 * Threads.  A model may serve any number of streams in any threads.  A stream is used by one thread at a time.
 * Memory.  What create returns owns all memory that its frames need; no later call allocates in this library, but for
 *     edgeecho_selftest, which takes the memory of a stream and frees it.  ONNX Runtime makes some small allocations a
 *     frame (docs/device.md gives their number).  Nothing passed in is kept: a frame, a path, the bytes of a model may
 *     go once the call returns.
 * Limits.  Frames of 16 to 4096 pixels a side; a region of at most 8 times the frame's longer side, with at least 16
 *     rows and columns of the frame in it, and a quarter of itself or of the frame; at most 1000 frames a second; pixels
 *     of 0.001 to 1000 mm; a device file of at most 1 GiB with at most 64 state tensors of 256 MiB together; 256
 *     threads; 65535 streams of a model; a self-test of at most 16 frames.  The last 4096 beats of a cine are kept.
 * Trust.  A device file is untrusted until its SHA-256 holds; that proves integrity, not origin.  Behind it ONNX
 *     Runtime reads the graph, and the graph's inputs and outputs are compared with the header.
 * Network.  ONNX Runtime 1.32 for Linux is built to report to its maker unless ORT_DISABLE_TELEMETRY is in the
 *     environment when it starts.  The first open puts it there; a program whose other threads read the environment
 *     sets it at its start.
 * Never: exit, abort, print, signals, threads of its own (ONNX Runtime starts threads - 1, none spins), global state
 *     but for that one variable.
 */
#ifndef EDGEECHO_H
#define EDGEECHO_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EDGEECHO_API __attribute__((visibility("default")))
#else
#define EDGEECHO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define EDGEECHO_VERSION_MAJOR 0
#define EDGEECHO_VERSION_MINOR 1
#define EDGEECHO_VERSION_PATCH 0

typedef struct edgeecho_model edgeecho_model;
typedef struct edgeecho_stream edgeecho_stream;

typedef int32_t edgeecho_status;
enum {
    EDGEECHO_OK = 0,
    EDGEECHO_MORE = 1,        /* no answer yet, or none any more; a device file without a self-test */
    EDGEECHO_E_ARGUMENT = -1, /* NULL, a struct_size that is not known, a number out of its range */
    EDGEECHO_E_FILE = -2,     /* the file cannot be read, or is too large */
    EDGEECHO_E_FORMAT = -3,   /* no device file, or one of another version */
    EDGEECHO_E_DAMAGED = -4,  /* its checksum does not hold */
    EDGEECHO_E_MODEL = -5,    /* a sound device file that this library cannot run, such as a clip graph */
    EDGEECHO_E_ENGINE = -6,   /* ONNX Runtime refused */
    EDGEECHO_E_MEMORY = -7,   /* out of memory */
    EDGEECHO_E_SIZE = -8,     /* a frame too large for the stream or other than its first; a buffer too small */
    EDGEECHO_E_REGION = -9,   /* too little of the frame in the region, or too much around it */
    EDGEECHO_E_BUSY = -10,    /* the model still has streams */
    EDGEECHO_E_SELFTEST = -11 /* this processor does not give the answers that the device file states */
};

typedef struct edgeecho_open_options {
    size_t struct_size;
    uint32_t threads; /* that one push may use; 0 means 1 */
} edgeecho_open_options;

typedef struct edgeecho_info { /* text is UTF-8 and lives as long as the model */
    size_t struct_size;
    const char *name;
    const char *licence;
    const char *intended_use;
    const char *revision;
    const char *precision; /* "fp32" or "int8" */
    const char *engine;    /* "ONNX Runtime 1.32.0" */
    const char *sha256;    /* of the device file, the digest taken as zeros: 64 hexadecimal digits */
    uint64_t parameters;
    uint64_t state_bytes;   /* carried by each stream, twice */
    uint32_t size_px;       /* the network's frames are squares of this side */
    uint32_t frames_before; /* that bear on an answer: the first push runs the network so many times more */
    uint32_t delay_frames;  /* an answer comes so many frames after its frame */
    uint32_t threshold;     /* of 255, from which a pixel is cavity */
} edgeecho_info;

typedef struct edgeecho_stream_options {
    size_t struct_size;
    uint32_t max_width, max_height; /* largest frame that will be pushed: sets the memory that is taken */
    double fps;                     /* 0 if unknown: no heart rate */
    double row_mm, column_mm;       /* height and width of a pixel; both 0 if unknown: no volumes */
} edgeecho_stream_options;

typedef struct edgeecho_frame { /* size and region stay the same until a reset */
    size_t struct_size;
    const uint8_t *pixels; /* grey, row by row */
    size_t stride_bytes;   /* from row to row, at least width */
    uint32_t width, height;
    int32_t roi_x, roi_y;           /* the region that holds the sector, best square in mm; it may leave the frame, */
    uint32_t roi_width, roi_height; /* and reads black there.  Both 0: the whole frame */
} edgeecho_frame;

typedef struct edgeecho_result { /* about the newest answer; NAN where not known */
    size_t struct_size;
    uint64_t frame; /* which, counted from 0 at the reset */
    double area_px; /* pixels of the mask */
    double area_mm2;
    double ef_percent; /* median over beats, as the rest */
    double edv_ml, esv_ml;
    double heart_rate_bpm;
    uint32_t beats;           /* so far */
    uint32_t beats_completed; /* by this frame */
    uint32_t width, height;   /* of the mask */
    uint64_t push_ns;         /* that the last push or flush took, */
    uint64_t engine_ns;       /* of it in ONNX Runtime */
} edgeecho_result;

typedef struct edgeecho_beat { /* frames counted from 0 at the reset; NAN where not known */
    size_t struct_size;
    uint64_t ed_frame, es_frame; /* end-diastole, and the end-systole after it; or before it, in a cine that
                                  * shows an ED only after an ES */
    double ef_percent;
    double edv_ml, esv_ml;
    double heart_rate_bpm;
} edgeecho_beat;

typedef struct edgeecho_selftest_result {
    size_t struct_size;
    uint32_t frames;             /* of the test cine */
    uint32_t frames_different;   /* whose answer the device file does not allow */
    uint32_t first_different;    /* index of the first of them, from 0; `frames` if there is none */
    uint32_t max_levels;         /* tolerance of the network's output, in its 255 levels; 0 in int8 files: equal bits */
    uint32_t levels;             /* largest difference of that output; UINT32_MAX if it differs from a mere digest */
    uint32_t area_difference_px; /* largest difference of a mask's area; information only if max_levels is not 0 */
    uint64_t elapsed_ns;
} edgeecho_selftest_result;

/* major << 16 | minor << 8 | patch of the library that runs */
EDGEECHO_API uint32_t edgeecho_version(void);

/* A constant sentence, for any value. */
EDGEECHO_API const char *edgeecho_status_text(edgeecho_status status);

/* Verify a device file and load its graph.  `options` may be NULL. */
EDGEECHO_API edgeecho_status edgeecho_open(const char *path, const edgeecho_open_options *options,
                                           edgeecho_model **model);
EDGEECHO_API edgeecho_status edgeecho_open_memory(const void *bytes, size_t size, const edgeecho_open_options *options,
                                                  edgeecho_model **model);
EDGEECHO_API edgeecho_status edgeecho_describe(const edgeecho_model *model, edgeecho_info *info);

/* Run a small test cine, and compare the answers with those that the device file states.  OK: this processor gives the
   proven answers.  EDGEECHO_E_SELFTEST: it does not, and `result` contains which frame differs first.  MORE: the file
   has no self-test.  With MORE and with an error of memory or engine the fields of `result` are 0.  The call makes a
   stream of its own and destroys it, so it may run at any time, beside other streams of the model. */
EDGEECHO_API edgeecho_status edgeecho_selftest(edgeecho_model *model, edgeecho_selftest_result *result);

/* EDGEECHO_E_BUSY while streams of it are left.  NULL is allowed. */
EDGEECHO_API edgeecho_status edgeecho_close(edgeecho_model *model);

EDGEECHO_API edgeecho_status edgeecho_stream_create(edgeecho_model *model, const edgeecho_stream_options *options,
                                                    edgeecho_stream **stream);
/* NULL is allowed. */
EDGEECHO_API void edgeecho_stream_destroy(edgeecho_stream *stream);

/* Take the next frame.  OK: there is an answer, to the frame `delay_frames` earlier.  MORE: there is none yet. */
EDGEECHO_API edgeecho_status edgeecho_push(edgeecho_stream *stream, const edgeecho_frame *frame);

/* End a cine: the last frame stands still.  OK: there is another answer, call again.  MORE: that was all; the beats
   that were open are measured, and the next push begins a new cine. */
EDGEECHO_API edgeecho_status edgeecho_flush(edgeecho_stream *stream);

/* Forget everything: a freeze, a new view, a new patient. */
EDGEECHO_API edgeecho_status edgeecho_reset(edgeecho_stream *stream);

/* The newest answer; MORE before the first, with the times alone. */
EDGEECHO_API edgeecho_status edgeecho_read(const edgeecho_stream *stream, edgeecho_result *result);

/* Its mask, 1 for cavity and 0 elsewhere, at the frame's own pixels.  `size` is that of `mask` in bytes. */
EDGEECHO_API edgeecho_status edgeecho_mask(const edgeecho_stream *stream, uint8_t *mask, size_t size,
                                           size_t stride_bytes);

/* Beat `index` of those so far; MORE if there are not so many, or it is older than the last 4096. */
EDGEECHO_API edgeecho_status edgeecho_beat_at(const edgeecho_stream *stream, uint32_t index, edgeecho_beat *beat);

#ifdef __cplusplus
}
#endif
#endif
