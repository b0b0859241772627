/* `edgeecho_stream`: one cine, frame by frame, and all memory that its frames need. */
#ifndef EE_STREAM_H
#define EE_STREAM_H

#include "frame_clock.h"
#include "frame_stream.h"
#include "mask_runs.h"
#include "measure/beat_meter.h"
#include "model.h"
#include "trust/frame_history.h"
#include "trust/live_view.h"
#include "trust/verdict.h"

typedef struct ee_seen { /* how a frame was seen */
    ee_roi roi;
    uint32_t flip;
    int is_inverted;
} ee_seen;

struct edgeecho_stream {
    edgeecho_model *model;
    edgeecho_stream_options options;
    size_t memory_bytes; /* of the block, which begins with this struct */
    int owns_memory;     /* the block was allocated by create */
    int keeps_pieces;    /* of masks, all of them: for the self-test */

    ee_error *error; /* why a call was refused last */
    ee_frame_stream network;
    uint8_t *picture; /* what the network sees, not turned; NULL if the view is never turned */
    uint8_t *map;     /* the newest answer of the network, not turned */
    uint64_t *sums;   /* for EE_SUM_ROOM times the larger of a frame's width and the network's */
    ee_axes in;       /* of the frames to come */
    ee_mask_map out;  /* of the next answer */
    uint32_t *rows;   /* room for an index of the newest mask's rows */
    ee_frame_clock clock;
    ee_beat_meter *meter;
    void *meter_memory;
    size_t meter_bytes;
    ee_frame_history history;
    ee_scorer scorer;
    ee_live_view live;
    uint8_t *inside; /* pixels of the network's picture that are in the fan of the view */
    int has_inside;
    /* Ring of answers to frames that were seen in views before; NULL and none where no view is searched */
    uint8_t *due;
    ee_seen *due_views;
    uint32_t due_first, due_count;
    ee_roi out_roi; /* region of `out`; of no size before the first */

    edgeecho_frame shape; /* size and region of the cine's frames */
    int has_frames;       /* a frame was pushed since the reset */
    int has_ended;        /* a flush has begun */
    uint32_t flushes;     /* runs that a flush still has to make */
    uint64_t answers;     /* since the reset; of the newest: */
    uint32_t area_px, beats_completed;
    double confidence, time_s;
    uint64_t frame_reasons;
    int is_measured;
    ee_seen seen;
    ee_verdict verdict;
    int was_fixed; /* the view, when beats were last judged */
    uint64_t push_ns;
};

/* Refuse a call: write why to the stream's error and to the log. */
#define EE_REFUSE(stream, status, ...) ee_refuse((stream)->error, &(stream)->model->log, status, __VA_ARGS__)

/* Set the state, the results and the meter to those before the first frame of a cine. */
void ee_start_cine(edgeecho_stream *stream);

/* Make the meter for frames of this size, for whose largest the stream has room. */
void ee_set_meter(edgeecho_stream *stream, uint32_t width, uint32_t height);

#endif
