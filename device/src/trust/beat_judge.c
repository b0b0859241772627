#include "beat_judge.h"

#include <math.h>

#include "constants.h"

static void add(ee_beat_measurement *measured, ee_reason reason, int is_severe) {
    measured->reasons |= (uint64_t)1 << reason;
    measured->severe |= (uint64_t)(is_severe != 0) << reason;
}

static void judge_masks(const ee_frame_history *history, uint64_t first, uint64_t last, ee_beat_measurement *m) {
    const ee_frame_sums sums = ee_frame_history_over(history, first, last);
    if (!sums.pixels) {
        add(m, EE_REASON_NO_VENTRICLE, 1);
        return;
    }
    const double frames = (double)(last - first + 1), pixels = (double)sums.pixels;
    const double confidence = (double)sums.total / (double)(UINT8_MAX * sums.pixels);
    const double broken = (double)sums.broken / frames, outside = (double)sums.outside / pixels;
    if (confidence < EE_SURE_CONFIDENCE)
        add(m, EE_REASON_VIEW_UNLIKELY, confidence < EE_MIN_CONFIDENCE);
    if (broken > EE_BROKEN_FRACTIONS_0)
        add(m, EE_REASON_MASK_IN_PIECES, broken > EE_BROKEN_FRACTIONS_1);
    if (outside > EE_OUTSIDE_FRACTIONS_0)
        add(m, EE_REASON_MASK_OUTSIDE_FAN, outside > EE_OUTSIDE_FRACTIONS_1);
    if ((double)sums.edge > EE_MAX_EDGE_FRACTION * sqrt(pixels * frames))
        add(m, EE_REASON_CUT_BY_EDGE, 0);
}

static void judge_motion(const ee_frame_history *history, uint64_t first, uint64_t last, int is_whole,
                         ee_beat_measurement *m) {
    const ee_motion motion = ee_frame_history_motion(history, first, last);
    if ((double)motion.still > EE_MAX_STILL_FRACTION * (double)(last - first))
        add(m, EE_REASON_FROZEN, 1);
    else if (motion.whole > 0 && motion.explained > EE_RIGID_FRACTIONS_0 * motion.whole) {
        const int is_severe = motion.explained / motion.whole > EE_RIGID_FRACTIONS_1;
        add(m, is_severe ? EE_REASON_NOTHING_BEATS : EE_REASON_PROBE_MOVED, is_severe);
    }
    const ee_box a = ee_frame_history_box(history, first), b = ee_frame_history_box(history, last);
    const int64_t down = (int64_t)b.top + b.bottom - a.top - a.bottom;
    const int64_t right = (int64_t)b.left + b.right - a.left - a.right;
    const uint32_t height = a.bottom - a.top, width = a.right - a.left;
    const double size = height > width ? height : width, way = sqrt((double)(down * down + right * right)) / 2;
    if (is_whole && way > EE_MOVED_FRACTIONS_0 * size)
        add(m, EE_REASON_PROBE_MOVED, way > EE_MOVED_FRACTIONS_1 * size);
}

void ee_judge_beat(void *context, const ee_beat *beat, double elongation, ee_beat_measurement *m) {
    const ee_frame_history *history = context;
    const int is_rising = beat->es_frame < beat->ed_frame;
    const uint64_t first = is_rising ? beat->es_frame : beat->ed_frame;
    const uint64_t end = is_rising ? beat->ed_frame : beat->es_frame;
    const uint64_t last = beat->next_ed_frame ? beat->next_ed_frame : end;
    judge_masks(history, first, last, m);
    judge_motion(history, first, last, beat->next_ed_frame > 0, m);
    if (elongation < EE_MIN_ELONGATIONS_0)
        add(m, EE_REASON_SHORT_AXIS, elongation < EE_MIN_ELONGATIONS_1);
    if (beat->interval_frames > 0 && beat->interval_frames < EE_MIN_BEAT_FRAMES_0)
        add(m, EE_REASON_TOO_FEW_FRAMES, beat->interval_frames < EE_MIN_BEAT_FRAMES_1);
    if (!(m->ef_percent >= EE_PLAUSIBLE_EF_PERCENT_0 && m->ef_percent <= EE_PLAUSIBLE_EF_PERCENT_1))
        add(m, EE_REASON_IMPLAUSIBLE, 1);
}
