#include <math.h>
#include <string.h>

#include "stream.h"

edgeecho_status edgeecho_read(const edgeecho_stream *s, edgeecho_result *result) {
    if (!s || !result || result->struct_size != sizeof *result)
        return EDGEECHO_E_ARGUMENT;
    *result = (edgeecho_result){
        .struct_size = sizeof *result,
        .area_px = NAN,
        .area_mm2 = NAN,
        .ef_percent = NAN,
        .edv_ml = NAN,
        .esv_ml = NAN,
        .heart_rate_bpm = NAN,
        .width = s->shape.width,
        .height = s->shape.height,
        .push_ns = s->push_ns,
        .engine_ns = s->engine_ns,
    };
    if (s->results <= 0)
        return EDGEECHO_MORE;
    result->frame = (uint64_t)s->results - 1;
    result->area_px = s->area_px;
    if (s->options.row_mm > 0)
        result->area_mm2 = s->area_px * s->options.row_mm * s->options.column_mm;
    ee_measurement summary;
    ee_beat_meter_summary(s->meter, &summary);
    result->ef_percent = summary.ef_percent;
    result->edv_ml = summary.edv_ml;
    result->esv_ml = summary.esv_ml;
    result->heart_rate_bpm = summary.heart_rate_bpm;
    result->beats = (uint32_t)summary.beats;
    result->beats_completed = s->beats_completed;
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_mask(const edgeecho_stream *s, uint8_t *mask, size_t size, size_t stride_bytes) {
    if (!s || !mask || stride_bytes < s->shape.width)
        return EDGEECHO_E_ARGUMENT;
    if (s->results <= 0)
        return EDGEECHO_MORE;
    const size_t width = s->shape.width, height = s->shape.height;
    if (size < width || (size - width) / stride_bytes < height - 1)
        return EDGEECHO_E_SIZE;
    for (size_t y = 0; y < height; y++)
        memcpy(mask + y * stride_bytes, s->mask + y * width, width);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_beat_at(const edgeecho_stream *s, uint32_t index, edgeecho_beat *beat) {
    if (!s || !beat || beat->struct_size != sizeof *beat)
        return EDGEECHO_E_ARGUMENT;
    ee_beat_measurement found;
    if (!ee_beat_meter_beat(s->meter, index, &found))
        return EDGEECHO_MORE;
    *beat = (edgeecho_beat){
        .struct_size = sizeof *beat,
        .ed_frame = found.ed_frame,
        .es_frame = found.es_frame,
        .ef_percent = found.ef_percent,
        .edv_ml = found.edv_ml,
        .esv_ml = found.esv_ml,
        .heart_rate_bpm = found.heart_rate_bpm,
    };
    return EDGEECHO_OK;
}
