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
 *     nothing has changed, but for EDGEECHO_E_ENGINE from a push, and EDGEECHO_E_REGION from one that searches a view,
 *     both of which reset the stream).  A sentence about the last call that was refused is kept for each model and each
 *     stream: edgeecho_model_error, edgeecho_stream_error, `error` in the options of an open.
 * Structs.  Set `struct_size` to sizeof, and every field that is not used to 0.  A struct may grow at its end: a size
 *     of whole fields, from that of version 0.1.0 up to the present one, is taken; fields that an older program does not
 *     know read as 0, and nothing is written beyond `struct_size`.  A program that is newer than the library has a
 *     larger size, which is refused: compare EDGEECHO_API_VERSION with edgeecho_get_versions.
 * View.  The network expects an upright apical view: apex at the top, the left ventricle on the right.  A stream may
 *     search the region and the orientation (`search`): its view may change until it is sure, mostly within the first
 *     second, and it measures beats from then on.  The first push then takes as long as some hundred others.
 * Verdict.  Each beat is judged by its own frames; those that fail are left out of the medians.  Reasons are bits, 1 <<
 *     EDGEECHO_REASON_...: of a level from review on in `reasons`, of a mere note in `notes`.  Where figures cannot be
 *     relied on (EDGEECHO_WITHHOLD) they are NAN, and stand in fields of their own, `withheld_...`.
 * Times.  A frame may have the time when it was taken.  Heart rates are then those of the times, frames that are
 *     missing between two times are counted (`frames_dropped`), and a step of more than 5 frames is a pause, which
 *     counts as one.
 * Threads.  A model may serve any number of streams in any threads.  A stream is used by one thread at a time.
 * Memory.  A stream has all memory that its frames need, its own or the caller's (edgeecho_stream_init); no later call
 *     allocates in this library, but for edgeecho_selftest, which takes the memory of a stream and frees it.  ONNX
 *     Runtime makes some small allocations a frame (docs/device-figures.md gives their number).  Nothing passed in is
 *     kept, but for the memory of a stream and the log: a frame, a path, the bytes of a model may go once the call
 *     returns.
 * Limits.  Frames of 16 to 4096 pixels a side; a region of at most 8 times the frame's longer side, with at least 16
 *     rows and columns of the frame in it, and a quarter of itself or of the frame; at most 1000 frames a second;
 *     pixels of 0.001 to 1000 mm; a device file of at most 1 GiB with at most 64 state tensors of 256 MiB together; 256
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

#if defined(_WIN32) && defined(EE_BUILDING)
#define EDGEECHO_API __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
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

/* Rises when a call or a field is added: 1 is that of version 0.1.0. */
#define EDGEECHO_API_VERSION 2

/* Of the memory that a caller gives to a stream, in bytes. */
#define EDGEECHO_ALIGNMENT 64

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

/* Why a figure is doubtful or withheld, as edgeecho_reason_text has it; written by device/write_headers.py. */
enum edgeecho_reason {
    /* the cine is too short for a beat */
    EDGEECHO_REASON_TOO_SHORT = 1,
    /* no left ventricle was found in any frame */
    EDGEECHO_REASON_NO_VENTRICLE = 2,
    /* a left ventricle was found in too few frames */
    EDGEECHO_REASON_SELDOM_SEEN = 3,
    /* nothing beats: the area hardly changes, or the picture moves as a whole */
    EDGEECHO_REASON_NOTHING_BEATS = 4,
    /* the area jumps from frame to frame as noise does */
    EDGEECHO_REASON_ROUGH = 5,
    /* the area curve is too noisy to tell beats apart */
    EDGEECHO_REASON_NOISY = 6,
    /* the area jumps from one frame to the next */
    EDGEECHO_REASON_JUMPS = 7,
    /* a left ventricle was found in too few frames of the beat */
    EDGEECHO_REASON_GAPS = 8,
    /* no end-systole was found: the cine shows less than half a beat */
    EDGEECHO_REASON_NO_ES = 9,
    /* no end-diastole was found beside the end-systole */
    EDGEECHO_REASON_NO_ED = 10,
    /* the masks of no beat have a volume that falls from ED to ES */
    EDGEECHO_REASON_NOT_MEASURABLE = 11,
    /* the network is unsure: this is probably not an apical view */
    EDGEECHO_REASON_VIEW_UNLIKELY = 20,
    /* the mask is as wide as it is long: this is probably a short axis */
    EDGEECHO_REASON_SHORT_AXIS = 21,
    /* the view is probably mirrored: set flip to lr */
    EDGEECHO_REASON_MIRRORED = 22,
    /* the view is probably turned: set flip to ud, or turn the picture until the apex is at the top */
    EDGEECHO_REASON_TURNED = 23,
    /* the grey levels are probably inverted: invert them */
    EDGEECHO_REASON_INVERTED = 24,
    /* the mask is in pieces */
    EDGEECHO_REASON_MASK_IN_PIECES = 25,
    /* the mask lies partly outside the ultrasound fan */
    EDGEECHO_REASON_MASK_OUTSIDE_FAN = 26,
    /* the ventricle is cut by the edge of the picture */
    EDGEECHO_REASON_CUT_BY_EDGE = 27,
    /* it is unsure which part of the picture shows the heart: set the region */
    EDGEECHO_REASON_REGION_UNSURE = 28,
    /* colour lies over the heart: record without colour Doppler */
    EDGEECHO_REASON_COLOUR_OVERLAY = 29,
    /* frames are the same, as in a frozen picture */
    EDGEECHO_REASON_FROZEN = 30,
    /* there are too few frames in a beat */
    EDGEECHO_REASON_TOO_FEW_FRAMES = 40,
    /* the beats differ in length */
    EDGEECHO_REASON_IRREGULAR = 41,
    /* the beats differ in EF */
    EDGEECHO_REASON_BEATS_DISAGREE = 42,
    /* the probe or the heart moved during the beats */
    EDGEECHO_REASON_PROBE_MOVED = 43,
    /* a figure is outside what hearts have */
    EDGEECHO_REASON_IMPLAUSIBLE = 44,
    /* the frame rate is unsure, and with it the heart rate and the beats */
    EDGEECHO_REASON_TIME_BASE_UNSURE = 50,
    /* the size of a pixel is unknown: no volumes, and EF is right only if pixels are square */
    EDGEECHO_REASON_SPACING_UNKNOWN = 51
};

/* Verdict on the figures so far. */
enum {
    EDGEECHO_REPORT = 0,
    EDGEECHO_REVIEW = 1,  /* a person should look at the masks before the figures are used */
    EDGEECHO_WITHHOLD = 2 /* EF and volumes are not given */
};

/* How a picture is put upright: mirrored left and right (LR) or up and down (UD), or turned by 90 degrees, clockwise
   (CW) or counterclockwise (CCW), and then mirrored where LR stands behind. */
enum edgeecho_flip {
    EDGEECHO_FLIP_NONE = 0,
    EDGEECHO_FLIP_LR = 1,
    EDGEECHO_FLIP_UD = 2,
    EDGEECHO_FLIP_LRUD = 3,
    EDGEECHO_FLIP_CW = 4,
    EDGEECHO_FLIP_CCW = 5,
    EDGEECHO_FLIP_CWLR = 6,
    EDGEECHO_FLIP_CCWLR = 7
};

/* What a stream searches in its first frames; bits. */
enum {
    EDGEECHO_SEARCH_REGION = 1,     /* the part of the frame that shows the heart; frames then give no region */
    EDGEECHO_SEARCH_ORIENTATION = 2 /* how the picture is turned, and whether its grey levels are inverted */
};

/* Level of a message. */
enum { EDGEECHO_LOG_INFO = 1, EDGEECHO_LOG_WARNING = 2, EDGEECHO_LOG_ERROR = 3, EDGEECHO_LOG_FATAL = 4 };

/* Function that takes messages: why a call was refused, and those of ONNX Runtime from warnings on.  UTF-8,
   which is valid during the call.  It may be called in any thread, ONNX Runtime's own included, in the middle of a
   call of this library, and must not call it.  It is in use as long as the model. */
typedef void edgeecho_log(void *context, int32_t level, const char *text);

typedef struct edgeecho_open_options {
    size_t struct_size;
    uint32_t threads;             /* that one push may use; 0 means 1 */
    const void *onnxruntime_api;  /* `const OrtApiBase *` of the program's own ONNX Runtime; NULL: one is loaded */
    const char *onnxruntime_path; /* library of ONNX Runtime to load, UTF-8; NULL: it is searched */
    edgeecho_log *log;            /* NULL: nothing is logged */
    void *log_context;            /* for each call of it */
    char *error;       /* why this open was refused, as edgeecho_model_error; empty if it was not; may be NULL */
    size_t error_size; /* bytes of `error`; a longer sentence is cut */
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
    uint32_t search;                /* EDGEECHO_SEARCH_... */
    uint32_t flip;                  /* EDGEECHO_FLIP_..., where the orientation is not searched */
    /* Least memory that a create takes: edgeecho_stream_size of the largest options that a reset will bring; 0: what
       these options need. */
    size_t memory_bytes;
} edgeecho_stream_options;

typedef struct edgeecho_frame { /* size and region stay the same until a reset */
    size_t struct_size;
    const uint8_t *pixels; /* grey, row by row */
    size_t stride_bytes;   /* from row to row, at least width */
    uint32_t width, height;
    int32_t roi_x, roi_y;           /* the region that holds the sector, best square in mm; it may leave the frame, */
    uint32_t roi_width, roi_height; /* and reads black there.  Both 0: the whole frame, or it is searched */
    double time_s;                  /* when it was taken, by any clock, rising; 0 in all frames: unknown */
} edgeecho_frame;

typedef struct edgeecho_result { /* about the newest answer; NAN where not known */
    size_t struct_size;
    uint64_t frame; /* which, counted from 0 at the reset */
    double area_px; /* pixels of the mask */
    double area_mm2;
    double ef_percent; /* median over the beats that are used, as the rest; NAN if withheld */
    double edv_ml, esv_ml;
    double heart_rate_bpm;
    uint32_t beats;           /* so far */
    uint32_t beats_completed; /* by this frame */
    uint32_t width, height;   /* of the mask */
    uint64_t push_ns;         /* that the last push or flush took, */
    uint64_t engine_ns;       /* of it in ONNX Runtime */
    double confidence;        /* mean probability inside the mask, 0 to 1; 0 if it is empty */
    double withheld_ef_percent, withheld_edv_ml, withheld_esv_ml; /* the medians, if they are withheld */
    uint64_t reasons, notes;                                      /* bits, 1 << EDGEECHO_REASON_... */
    uint32_t verdict;                                             /* EDGEECHO_REPORT, _REVIEW or _WITHHOLD */
    uint32_t view_fixed;     /* 1 if this frame was seen in the view that stays, and counts in beats */
    uint32_t flip, inverted; /* EDGEECHO_FLIP_... of this frame; 1 if its grey levels were inverted */
    int32_t roi_x, roi_y;    /* the region in which the network saw this frame */
    uint32_t roi_width, roi_height;
    /* What is doubtful in this frame alone: bits of NO_VENTRICLE, VIEW_UNLIKELY, MASK_IN_PIECES, MASK_OUTSIDE_FAN,
       CUT_BY_EDGE, and of FROZEN (the same picture as that of the frame before). */
    uint64_t frame_reasons;
    double time_s;           /* of this frame */
    uint64_t frames_dropped; /* missing between the times of the frames pushed so far; 0 without times or fps */
    uint32_t no_beat_reason; /* EDGEECHO_REASON_...: why no beat was measured so far; 0 if there is one */
} edgeecho_result;

typedef struct edgeecho_beat { /* frames counted from 0 at the reset; NAN where not known */
    size_t struct_size;
    uint64_t ed_frame, es_frame; /* end-diastole, and the end-systole after it; or before it, in a cine that
                                  * shows an ED only after an ES */
    double ef_percent;
    double edv_ml, esv_ml;
    double heart_rate_bpm;
    uint64_t reasons;            /* why the beat is doubtful or left out; bits, 1 << EDGEECHO_REASON_... */
    uint32_t is_used;            /* 1 if it counts in the medians */
    double ed_time_s, es_time_s; /* when these frames were taken */
} edgeecho_beat;

typedef struct edgeecho_point { /* a pixel of the frame, from its upper left corner */
    int32_t x, y;
} edgeecho_point;

typedef struct edgeecho_versions { /* text is constant, or lives as long as the model */
    size_t struct_size;
    const char *library;          /* "0.1.0" */
    const char *engine;           /* of the model: "ONNX Runtime 1.32.0"; empty without a model */
    const char *build;            /* compiler and processor of the library */
    uint32_t api;                 /* EDGEECHO_API_VERSION of the library */
    uint32_t device_file_version; /* newest version of device files that it reads; it reads all before */
} edgeecho_versions;

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

/* Versions of everything in use.  `model` may be NULL. */
EDGEECHO_API edgeecho_status edgeecho_get_versions(const edgeecho_model *model, edgeecho_versions *versions);

/* A constant sentence, for any value. */
EDGEECHO_API const char *edgeecho_status_text(edgeecho_status status);

/* Why a call with this stream was refused the last time: a sentence with what was found, ONNX Runtime's own text
   included; empty if none was.  It stays until the next call that is refused, or the stream is destroyed. */
EDGEECHO_API const char *edgeecho_stream_error(const edgeecho_stream *stream);

/* The same of the calls with this model: describe, self-test, close, and those that make streams.  The sentence is
   copied to `text` and cut to `size` bytes, its end included, as other threads may use the model. */
EDGEECHO_API edgeecho_status edgeecho_model_error(const edgeecho_model *model, char *text, size_t size);

/* Code of a reason, such as "short_axis", and its sentence; constant text, for any value. */
EDGEECHO_API const char *edgeecho_reason_code(uint32_t reason);
EDGEECHO_API const char *edgeecho_reason_text(uint32_t reason);

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

/* Bytes that a stream with these options needs; 0 if they are refused. */
EDGEECHO_API size_t edgeecho_stream_size(const edgeecho_model *model, const edgeecho_stream_options *options);

/* Make a stream in memory of the caller, `size` bytes aligned to EDGEECHO_ALIGNMENT, which is the stream's until it is
   destroyed; nothing is allocated but the handles that ONNX Runtime makes for the tensors.  More memory than needed is
   for the options of later resets. */
EDGEECHO_API edgeecho_status edgeecho_stream_init(edgeecho_model *model, const edgeecho_stream_options *options,
                                                  void *memory, size_t size, edgeecho_stream **stream);

/* NULL is allowed.  Memory of the caller is then free to be used again. */
EDGEECHO_API void edgeecho_stream_destroy(edgeecho_stream *stream);

/* Take the next frame.  OK: there is an answer, to the frame `delay_frames` earlier.  MORE: there is none yet; or none
   again, for as many frames, where a view became fixed in so few frames. */
EDGEECHO_API edgeecho_status edgeecho_push(edgeecho_stream *stream, const edgeecho_frame *frame);

/* End a cine: the last frame stands still.  OK: there is another answer, call again.  MORE: that was all; the beats
   that were open are measured, and the next push begins a new cine. */
EDGEECHO_API edgeecho_status edgeecho_flush(edgeecho_stream *stream);

/* Forget everything: a freeze, a new view, a new patient. */
EDGEECHO_API edgeecho_status edgeecho_reset(edgeecho_stream *stream);

/* The same, and go on with other options: another depth, frame rate, frame size, or search.  EDGEECHO_E_SIZE: they need
   more memory than the stream has.  EDGEECHO_E_ENGINE: the stream is reset, with the options before. */
EDGEECHO_API edgeecho_status edgeecho_reset_with(edgeecho_stream *stream, const edgeecho_stream_options *options);

/* The newest answer; MORE before the first, with the times alone. */
EDGEECHO_API edgeecho_status edgeecho_read(const edgeecho_stream *stream, edgeecho_result *result);

/* Its mask, 1 for cavity and 0 elsewhere, at the frame's own pixels.  `size` is that of `mask` in bytes. */
EDGEECHO_API edgeecho_status edgeecho_mask(const edgeecho_stream *stream, uint8_t *mask, size_t size,
                                           size_t stride_bytes);

/* Outline of that mask: the pixels at its edge, each next to the one before (8 neighbours), counterclockwise on the
   screen from the first of the uppermost row.  A part that is one pixel thin is passed twice; holes have none.
   `count` becomes the number of points, 0 for an empty mask.  EDGEECHO_E_SIZE: `capacity` is less; NULL and 0 count
   alone. */
EDGEECHO_API edgeecho_status edgeecho_contour(const edgeecho_stream *stream, edgeecho_point *points, size_t capacity,
                                              size_t *count);

/* 255 times the probability of cavity, from which the mask is made: a square of `size_px` (edgeecho_info) pixels over
   the region of the newest answer, not turned.  `size` is that of `prob` in bytes. */
EDGEECHO_API edgeecho_status edgeecho_probability(const edgeecho_stream *stream, uint8_t *prob, size_t size,
                                                  size_t stride_bytes);

/* Beat `index` of those so far; MORE if there are not so many, or it is older than the last 4096. */
EDGEECHO_API edgeecho_status edgeecho_beat_at(const edgeecho_stream *stream, uint32_t index, edgeecho_beat *beat);

#ifdef __cplusplus
}
#endif
#endif
