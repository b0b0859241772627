/* One cine as it comes, and all memory that its frames need: `edgeecho_stream`. */
#ifndef EE_STREAM_H
#define EE_STREAM_H

#include "measure/beat_meter.h"
#include "model.h"
#include "resample.h"

struct edgeecho_stream {
    edgeecho_model *model;
    ee_binding *binding;
    edgeecho_stream_options options;

    uint8_t *frame, *prob; /* the network's, size_px a side */
    uint8_t *states[2];    /* a run reads one and writes the other */
    uint8_t *mask;         /* of the newest result, `shape.width` bytes a row */
    ee_box drawn;          /* of the mask, in its region */
    uint32_t *sums;        /* of some rows */
    ee_axis rows_in, columns_in, rows_out, columns_out;
    ee_beat_meter *meter;
    void *meter_memory;
    size_t meter_bytes;

    edgeecho_frame shape; /* size and region of the cine's frames */
    int has_frames;       /* since the reset */
    int has_ended;        /* a flush has begun */
    uint32_t flushes;     /* runs that a flush still owes */
    int carried;          /* which of the states is carried on */
    int64_t results;      /* so far, once the delay is over and it is positive */
    uint32_t area_px, beats_completed;
    uint64_t push_ns, engine_ns;
};

/* Nanoseconds of a clock that never goes back. */
uint64_t ee_now_ns(void);

#endif
