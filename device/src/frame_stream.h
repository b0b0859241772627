/* A stream graph, run frame by frame: Python's `edgeecho/runtime/frame_stream.py`. */
#ifndef EE_FRAME_STREAM_H
#define EE_FRAME_STREAM_H

#include "engine.h"

typedef struct ee_frame_stream {
    const ee_engine *engine;
    const ee_spec *spec;
    ee_binding *binding; /* NULL until it is made in its memory */
    void *binding_memory;
    ee_error *error;       /* of a run that failed */
    uint8_t *frame, *prob; /* the network's input and output, size_px a side */
    uint8_t *states[2];    /* a run reads one and writes the other */
    int current_state;     /* index of the state that the next run reads */
    int has_frames;        /* since the reset */
    int64_t results;       /* of frames; it counts from minus the delay, so it is 0 or less before the first */
    uint64_t engine_ns;    /* spent in ONNX Runtime */
} ee_frame_stream;

/* Bytes of the states of one kind, each aligned. */
size_t ee_state_bytes(const ee_spec *spec);

/* Forget everything: the next frame is the first of a cine. */
void ee_frame_stream_reset(ee_frame_stream *stream);

/* Run the frame in `frame`. OK: `prob` is the answer to the frame `after` frames earlier. MORE: there is none. */
edgeecho_status ee_frame_stream_push(ee_frame_stream *stream);

/* Run the last frame once more, as at the end of a cine. */
edgeecho_status ee_frame_stream_repeat(ee_frame_stream *stream);

/* Run `frame` as a still picture, from a reset on: `prob` is the answer to it. */
edgeecho_status ee_frame_stream_look(ee_frame_stream *stream);

#endif
