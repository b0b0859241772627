#include <math.h>

#include "contour.h"
#include "stream.h"
#include "struct_size.h"

/* What the newest answer shows; figures are withheld where they cannot be relied on. */
static void fill_answer(const edgeecho_stream *s, edgeecho_result *result) {
    result->frame = s->answers - 1;
    result->area_px = s->area_px;
    if (s->options.row_mm > 0)
        result->area_mm2 = s->area_px * s->options.row_mm * s->options.column_mm;
    ee_measurement summary;
    ee_beat_meter_summary(s->meter, &summary);
    const int is_withheld = s->verdict.level == EDGEECHO_WITHHOLD;
    *(is_withheld ? &result->withheld_ef_percent : &result->ef_percent) = summary.ef_percent;
    *(is_withheld ? &result->withheld_edv_ml : &result->edv_ml) = summary.edv_ml;
    *(is_withheld ? &result->withheld_esv_ml : &result->esv_ml) = summary.esv_ml;
    result->heart_rate_bpm = summary.heart_rate_bpm;
    result->beats = (uint32_t)summary.beats;
    result->beats_completed = s->beats_completed;
    result->confidence = s->confidence;
    result->reasons = s->verdict.reasons;
    result->notes = s->verdict.notes;
    result->verdict = s->verdict.level;
    result->view_fixed = (uint32_t)s->is_measured;
    result->flip = s->seen.flip;
    result->inverted = (uint32_t)s->seen.is_inverted;
    result->roi_x = (int32_t)s->seen.roi.x;
    result->roi_y = (int32_t)s->seen.roi.y;
    result->roi_width = (uint32_t)s->seen.roi.width;
    result->roi_height = (uint32_t)s->seen.roi.height;
    result->frame_reasons = s->frame_reasons;
    result->time_s = s->time_s;
    result->no_beat_reason = summary.reason;
}

edgeecho_status edgeecho_read(const edgeecho_stream *s, edgeecho_result *result) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    if (!result || !ee_is_size_known(result->struct_size, EE_FIRST_RESULT, sizeof *result))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, EE_UNKNOWN_SIZE, "result", result ? result->struct_size : 0,
                         EE_FIRST_RESULT, sizeof *result);
    edgeecho_result found = {
        .area_px = NAN,
        .area_mm2 = NAN,
        .ef_percent = NAN,
        .edv_ml = NAN,
        .esv_ml = NAN,
        .heart_rate_bpm = NAN,
        .width = s->shape.width,
        .height = s->shape.height,
        .push_ns = s->push_ns,
        .engine_ns = s->network.engine_ns + (s->live.search ? s->live.search->looks.engine_ns : 0),
        .confidence = NAN,
        .withheld_ef_percent = NAN,
        .withheld_edv_ml = NAN,
        .withheld_esv_ml = NAN,
        .time_s = NAN,
        .frames_dropped = s->clock.dropped,
    };
    if (s->answers)
        fill_answer(s, &found);
    ee_copy_out(result, result->struct_size, &found);
    return s->answers ? EDGEECHO_OK : EDGEECHO_MORE;
}

/* Check a buffer for a picture; OK if it has room. */
static edgeecho_status check_buffer(const edgeecho_stream *s, const uint8_t *buffer, size_t size, size_t stride,
                                    size_t width, size_t height) {
    if (!buffer || stride < width)
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "no buffer (NULL), or stride_bytes is %zu for rows of %zu pixels",
                         stride, width);
    if (!s->answers)
        return EDGEECHO_MORE;
    if (size < width || (size - width) / stride < height - 1)
        return EE_REFUSE(s, EDGEECHO_E_SIZE, "the buffer has %zu bytes, too few for %zux%zu pixels and a stride of %zu",
                         size, width, height, stride);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_mask(const edgeecho_stream *s, uint8_t *mask, size_t size, size_t stride_bytes) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    const edgeecho_status status = check_buffer(s, mask, size, stride_bytes, s->shape.width, s->shape.height);
    if (status != EDGEECHO_OK)
        return status;
    const ee_runs runs = ee_beat_meter_newest(s->meter);
    ee_draw_mask(&runs, s->shape.width, s->shape.height, mask, stride_bytes);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_probability(const edgeecho_stream *s, uint8_t *prob, size_t size, size_t stride_bytes) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    const size_t side = s->scorer.size;
    const edgeecho_status status = check_buffer(s, prob, size, stride_bytes, side, side);
    if (status != EDGEECHO_OK)
        return status;
    for (size_t y = 0; y < side; y++)
        memcpy(prob + y * stride_bytes, s->map + y * side, side);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_contour(const edgeecho_stream *s, edgeecho_point *points, size_t capacity, size_t *count) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    if (!count || (!points && capacity))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "no count, or no points for a capacity of %zu: NULL", capacity);
    *count = 0;
    if (!s->answers)
        return EDGEECHO_MORE;
    const ee_runs runs = ee_beat_meter_newest(s->meter);
    *count = ee_contour(&runs, s->shape.height, s->rows, points, capacity);
    if (points && *count > capacity)
        return EE_REFUSE(s, EDGEECHO_E_SIZE, "the outline has %zu points, there is room for %zu", *count, capacity);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_beat_at(const edgeecho_stream *s, uint32_t index, edgeecho_beat *beat) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    if (!beat || !ee_is_size_known(beat->struct_size, EE_FIRST_BEAT, sizeof *beat))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, EE_UNKNOWN_SIZE, "beat", beat ? beat->struct_size : 0, EE_FIRST_BEAT,
                         sizeof *beat);
    ee_beat_measurement found;
    if (!ee_beat_meter_beat(s->meter, index, &found))
        return EDGEECHO_MORE;
    const edgeecho_beat given = {
        .ed_frame = found.ed_frame,
        .es_frame = found.es_frame,
        .ef_percent = found.ef_percent,
        .edv_ml = found.edv_ml,
        .esv_ml = found.esv_ml,
        .heart_rate_bpm = found.heart_rate_bpm,
        .reasons = found.reasons,
        .is_used = !found.severe,
        .ed_time_s = found.ed_time_s,
        .es_time_s = found.es_time_s,
    };
    ee_copy_out(beat, beat->struct_size, &given);
    return EDGEECHO_OK;
}
