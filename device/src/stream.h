/* `edgeecho_stream`: one cine, frame by frame, and all memory that its frames need. */
#ifndef EE_STREAM_H
#define EE_STREAM_H

#include "measure/beat_meter.h"
#include "model.h"
#include "resample.h"

struct edgeecho_stream {
    edgeecho_model *model;
    ee_binding *binding;
    edgeecho_stream_options options;

    uint8_t *frame, *prob; /* the network's input and output, size_px a side */
    uint8_t *states[2];    /* a run reads one and writes the other */
    uint8_t *mask;         /* the newest result, `shape.width` bytes a row */
    ee_box drawn;          /* box of the region outside of which the mask is 0 */
    uint32_t *sums;        /* room for EE_SUM_ROWS rows of sums */
    ee_axis rows_in, columns_in, rows_out, columns_out;
    ee_beat_meter *meter;
    void *meter_memory;
    size_t meter_bytes;

    edgeecho_frame shape; /* size and region of the cine's frames */
    int has_frames;       /* a frame was pushed since the reset */
    int has_ended;        /* a flush has begun */
    uint32_t flushes;     /* runs that a flush still has to make */
    int current_state;    /* index of the state that the next run reads */
    int64_t results;      /* number of results; it counts from minus the delay, so it is 0 or less before the first */
    uint32_t area_px, beats_completed;
    uint64_t push_ns, engine_ns;
};

/* Nanoseconds of a clock that never goes back. */
uint64_t ee_now_ns(void);

#endif
