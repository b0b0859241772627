#include "frame_stream.h"

#include <string.h>

#include "os.h"

size_t ee_state_bytes(const ee_spec *spec) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < spec->states; i++)
        bytes += ee_aligned(spec->state[i].bytes);
    return bytes;
}

void ee_frame_stream_reset(ee_frame_stream *s) {
    uint8_t *state = s->states[0];
    for (uint32_t i = 0; i < s->spec->states; i++) {
        const ee_tensor *t = &s->spec->state[i];
        const float zero = t->zero_point;
        if (t->type == EE_UINT8)
            memset(state, t->zero_point, t->bytes);
        for (size_t at = 0; t->type == EE_FLOAT32 && at < t->bytes; at += sizeof zero)
            memcpy(state + at, &zero, sizeof zero);
        state += ee_aligned(t->bytes);
    }
    s->current_state = s->has_frames = 0;
    s->results = -(int64_t)s->spec->after;
}

static edgeecho_status run(ee_frame_stream *s) {
    const uint64_t begun = ee_now_ns();
    const edgeecho_status status = s->engine->kind->run(s->engine, s->binding, s->current_state, s->error);
    s->engine_ns += ee_now_ns() - begun;
    s->current_state = !s->current_state;
    return status;
}

edgeecho_status ee_frame_stream_repeat(ee_frame_stream *s) {
    const edgeecho_status status = run(s);
    if (status != EDGEECHO_OK)
        return status;
    return ++s->results > 0 ? EDGEECHO_OK : EDGEECHO_MORE;
}

edgeecho_status ee_frame_stream_push(ee_frame_stream *s) {
    edgeecho_status status = EDGEECHO_OK;
    for (uint32_t k = 0; !s->has_frames && k < s->spec->before && status == EDGEECHO_OK; k++)
        status = run(s); /* the frames before the first are equal to it */
    s->has_frames = 1;
    return status == EDGEECHO_OK ? ee_frame_stream_repeat(s) : status;
}

edgeecho_status ee_frame_stream_look(ee_frame_stream *s) {
    ee_frame_stream_reset(s);
    edgeecho_status status = ee_frame_stream_push(s);
    while (status == EDGEECHO_MORE)
        status = ee_frame_stream_repeat(s);
    return status;
}
