#include <math.h>

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
}

edgeecho_status edgeecho_read(const edgeecho_stream *s, edgeecho_result *result) {
    if (!s || !result || !ee_is_size_known(result->struct_size, EE_FIRST_RESULT, sizeof *result))
        return EDGEECHO_E_ARGUMENT;
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
    };
    if (s->answers)
        fill_answer(s, &found);
    ee_copy_out(result, result->struct_size, &found);
    return s->answers ? EDGEECHO_OK : EDGEECHO_MORE;
}

edgeecho_status edgeecho_mask(const edgeecho_stream *s, uint8_t *mask, size_t size, size_t stride_bytes) {
    if (!s || !mask || stride_bytes < s->shape.width)
        return EDGEECHO_E_ARGUMENT;
    if (!s->answers)
        return EDGEECHO_MORE;
    const size_t width = s->shape.width, height = s->shape.height;
    if (size < width || (size - width) / stride_bytes < height - 1)
        return EDGEECHO_E_SIZE;
    const ee_runs runs = ee_beat_meter_newest(s->meter);
    ee_draw_mask(&runs, s->shape.width, s->shape.height, mask, stride_bytes);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_beat_at(const edgeecho_stream *s, uint32_t index, edgeecho_beat *beat) {
    if (!s || !beat || !ee_is_size_known(beat->struct_size, EE_FIRST_BEAT, sizeof *beat))
        return EDGEECHO_E_ARGUMENT;
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
    };
    ee_copy_out(beat, beat->struct_size, &given);
    return EDGEECHO_OK;
}
