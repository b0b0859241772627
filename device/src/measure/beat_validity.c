#include "beat_validity.h"

#include <math.h>

#include "area_curve.h"
#include "numbers.h"

/* The largest step down, or up if the curve rises, from one value to the next, from index `from` to `to`. */
static double steepest(const double *curve, int32_t from, int32_t to, double sign) {
    double most = -INFINITY;
    for (int32_t i = from; i < to; i++)
        most = ee_larger(most, sign * (curve[i] - curve[i + 1]));
    return most;
}

/* Part of the frames from `from` to `end`, not included, that show a ventricle. */
static double part_shown(const ee_curve_buffer *b, int32_t from, int32_t end) {
    int32_t shown = 0;
    for (int32_t i = from; i < end; i++)
        shown += b->shown[i];
    return (double)shown / (end - from);
}

/* Whether a fall is made by a few jumps. */
static bool is_staircase(const double *curve, int32_t ed, int32_t es) {
    const double low = curve[es], fall = curve[ed] - low;
    double most = -INFINITY;
    int32_t start = ed, end = es;
    for (int32_t i = ed; i <= es; i++) {
        const double part = (curve[i] - low) / fall;
        if (i > ed)
            most = ee_larger(most, (curve[i - 1] - low) / fall - part);
        if (part >= EE_UPPER_SLOPE_HEIGHT)
            start = i;
    }
    for (int32_t i = es; i >= start; i--)
        if ((curve[i] - low) / fall <= EE_LOWER_SLOPE_HEIGHT)
            end = i;
    const double limit = EE_MAX_STEEPNESS * (EE_UPPER_SLOPE_HEIGHT - EE_LOWER_SLOPE_HEIGHT);
    return most > limit / (end > start ? end - start : 1);
}

ee_reason ee_validate_beat(const ee_curve_buffer *b, int32_t ed, int32_t es, int32_t end, double interval) {
    const bool rises = es < ed;
    const int32_t start = rises ? es : ed, half_memory = b->windows.memory / 2;
    const int32_t from = start > half_memory ? start - half_memory : 0;
    const int32_t to = end + half_memory < b->length ? end + half_memory : b->length;
    const double *recent = b->values + from;
    const size_t length = (size_t)(to - from);
    const double shown = ee_smaller(part_shown(b, start, end + 1), part_shown(b, from, to));
    const double fall = b->smooth[ed] - b->smooth[es];
    if (fall < EE_MIN_FALL_FRACTION * b->smooth[ed])
        return EE_REASON_NOTHING_BEATS;
    if (!(interval > 0 && interval <= EE_MAX_SHORT_BEAT_FRAMES && ee_is_periodic(recent, length, (size_t)interval))) {
        const bool few_glitches = 1 - shown <= EE_MAX_FEW_GLITCHES_FRACTION;
        const bool is_smooth = few_glitches && ee_roughness(recent, length) <= EE_MAX_ROUGHNESS_WITHOUT_GLITCHES;
        if (!is_smooth && ee_roughness(b->raw + from, length) > EE_MAX_ROUGHNESS)
            return EE_REASON_ROUGH;
        if (fall < EE_MIN_SIGNAL_TO_NOISE * ee_noise(recent, length, (size_t)b->windows.half))
            return EE_REASON_NOISY;
        const double step = rises ? steepest(b->values, es, ed, -1) : steepest(b->values, ed, es, 1);
        /* a rise may be made by a few jumps, as the ventricle fills in two */
        if (step > EE_MAX_JUMP_FRACTION * (b->values[ed] - b->values[es]) ||
            (!rises && is_staircase(b->smooth, ed, es)))
            return EE_REASON_JUMPS;
    }
    return shown < EE_MIN_SEEN_FRACTION ? EE_REASON_GAPS : EE_REASON_NONE;
}

bool ee_is_level(const ee_curve_buffer *b, int32_t start, int32_t stop, bool at_start) {
    const double *smooth = b->smooth, sign = smooth[start] > smooth[stop] ? 1 : -1;
    const int32_t part = (stop - start) / EE_LEVEL_WINDOW_DIVISOR, few = part > 1 ? part : 1;
    const double fall = at_start ? smooth[start] - smooth[start + few] : smooth[stop - few] - smooth[stop];
    return sign * fall / few <= EE_MAX_LEVEL_SLOPE * steepest(smooth, start, stop, sign);
}

bool ee_starts_full(const ee_curve_buffer *b, int32_t ed, int32_t es, const ee_turn *next_ed) {
    const bool level = ee_is_level(b, ed, es, true);
    if (next_ed == NULL)
        return level;
    const double low = b->smooth[es], least = level ? EE_MIN_LEVEL_START_HEIGHT : EE_MIN_SLOPED_START_HEIGHT;
    return b->smooth[ed] - low >= least * (b->smooth[next_ed->at] - low);
}

bool ee_ends_full(const ee_curve_buffer *b, int32_t high, const ee_turning_points *points, bool has_beats) {
    const double *smooth = b->smooth;
    const ee_turn *es = ee_turn_before(points, 0), *ed = ee_turn_before(points, 1);
    const double low = smooth[es->at];
    double size = ee_curve_range(b), lowest = smooth[high], top = ed ? smooth[ed->at] : low;
    if (ed != NULL)
        size = ee_larger(size, top - low);
    else
        for (int32_t i = 0; i < es->at; i++)
            top = ee_larger(top, smooth[i]);
    if (smooth[high] - low >= EE_MIN_REFILLING_FRACTION * (top - low) &&
        (ed != NULL || (!has_beats && ee_is_level(b, es->at, high, false))))
        return true;
    for (int32_t i = high; i < b->smoothed; i++)
        lowest = ee_smaller(lowest, smooth[i]);
    return smooth[high] - lowest >= EE_MIN_LAST_FALL_FRACTION * size;
}

bool ee_ends_empty(const ee_curve_buffer *b, int32_t es, const ee_turning_points *points) {
    const ee_turn *ed = ee_turn_before(points, 0), *es_before = ee_turn_before(points, 1);
    if (es_before == NULL || es_before->at_start)
        return true;
    const double high = b->smooth[ed->at];
    return high - b->smooth[es] >= EE_MIN_EMPTYING_FRACTION * (high - b->smooth[es_before->at]);
}
