#include "beat_detector.h"

#include <math.h>

#include "beat_validity.h"
#include "numbers.h"

/* Begin a piece of curve at a frame. */
static void restart(ee_beat_tracker *t, uint64_t frame) {
    ee_curve_buffer_restart(&t->buffer, frame);
    ee_turning_points_restart(&t->points);
}

void ee_beat_tracker_reset(ee_beat_tracker *t) {
    t->frames = t->seen = t->es_count = t->reported_beats = 0;
    t->change = 0;
    t->rejected = EE_REASON_NONE;
    restart(t, 0);
}

void ee_beat_tracker_init(ee_beat_tracker *t, double fps) {
    t->buffer.windows = ee_windows_for(fps);
    ee_beat_tracker_reset(t);
}

static void emit_beat(ee_beat_tracker *t, const ee_turn *ed, const ee_turn *es, const ee_turn *next_ed,
                      double interval) {
    const uint64_t first = t->buffer.first_frame;
    const ee_beat beat = {
        .ed_frame = first + (uint64_t)ed->at,
        .es_frame = first + (uint64_t)es->at,
        .next_ed_frame = next_ed ? first + (uint64_t)next_ed->at : 0,
        .interval_frames = interval,
    };
    t->reported_beats++;
    t->on_beat(t->context, &beat);
}

/* Report the beat of an ED and the ES after it, if it is one: the ES is turning point number `back` from the last.
 * `next_ed` is the ED that closes the beat; NULL if none is seen. */
static void close_beat(ee_beat_tracker *t, int32_t back, const ee_turn *next_ed) {
    const ee_turn *es = ee_turn_before(&t->points, back), *ed = ee_turn_before(&t->points, back + 1);
    const ee_turn *es_before = ee_turn_before(&t->points, back + 2);
    if (ed == NULL || !ed->is_ed || (ed->at_start && !ee_starts_full(&t->buffer, ed->at, es->at, next_ed)))
        return;
    double interval = 0;
    if (next_ed != NULL)
        interval = next_ed->at - ed->at;
    else if (es_before != NULL && !es_before->at_start)
        interval = es->at - es_before->at;
    const int32_t end = next_ed ? next_ed->at : es->at;
    const ee_reason reason = ee_validate_beat(&t->buffer, ed->at, es->at, end, interval);
    if (reason == EE_REASON_NONE) {
        emit_beat(t, ed, es, next_ed, interval);
    } else {
        t->rejected = reason;
        t->es_count--;
    }
}

/* Follow the smoothed curve to its end and report the beats that are complete. */
static void follow(ee_beat_tracker *t) {
    const double range = ee_curve_range(&t->buffer), newest = t->buffer.smooth[t->buffer.smoothed - 1];
    if (newest > 0)
        t->change = ee_larger(t->change, range / newest);
    for (const ee_turn *turn; (turn = ee_next_turn(&t->points, &t->buffer, range)) != NULL;) {
        if (turn->at_start)
            continue;
        if (turn->is_ed)
            close_beat(t, 1, turn);
        else
            t->es_count++;
    }
}

/* Report the beat that ends with the fall from the last ED, if the fall ends in an ES. */
static void end_fall(ee_beat_tracker *t) {
    const double *smooth = t->buffer.smooth;
    const int32_t ed = ee_turn_before(&t->points, 0)->at, last = t->buffer.length - 1;
    const int32_t es = ee_place_turn(&t->points, &t->buffer, t->points.low, last, false);
    double highest = smooth[es];
    for (int32_t i = es; i <= last; i++)
        highest = ee_larger(highest, smooth[i]);
    const bool rises = highest - smooth[es] >= EE_MIN_LAST_RISE_FRACTION * (smooth[ed] - smooth[es]);
    if (rises || (ee_is_level(&t->buffer, ed, es, false) && ee_ends_empty(&t->buffer, es, &t->points))) {
        ee_add_turn(&t->points, (ee_turn){es, false, false});
        t->es_count++;
        close_beat(t, 0, NULL);
    }
}

/* Report the beat before the rise from the last ES, which may end in an ED that closes it. */
static void end_rise(ee_beat_tracker *t) {
    const int32_t last = t->buffer.length - 1;
    const ee_turn closing = {ee_place_turn(&t->points, &t->buffer, t->points.high, last, true), true, false};
    if (!ee_ends_full(&t->buffer, closing.at, &t->points, t->reported_beats > 0)) {
        close_beat(t, 0, NULL);
        return;
    }
    close_beat(t, 0, &closing);
    ee_add_turn(&t->points, closing);
}

/* Report the beat of an ES and the ED after it, of a cine without any other. */
static void rising_beat(ee_beat_tracker *t) {
    const ee_turn *es = ee_turn_before(&t->points, 1), *ed = ee_turn_before(&t->points, 0);
    if (t->reported_beats > 0 || t->rejected != EE_REASON_NONE || es == NULL || !ed->is_ed)
        return;
    if (es->at_start && !ee_is_level(&t->buffer, es->at, ed->at, true))
        return;
    const ee_reason reason = ee_validate_beat(&t->buffer, ed->at, es->at, ed->at, 0);
    if (reason != EE_REASON_NONE)
        t->rejected = reason;
    else
        emit_beat(t, ed, es, NULL, 0);
}

/* End the piece of curve: follow it to its last value, then decide on the turning point that is still open. */
static void end_piece(ee_beat_tracker *t) {
    ee_smooth_to(&t->buffer, t->buffer.length);
    if (t->buffer.length < EE_MIN_CURVE_FRAMES)
        return;
    follow(t);
    const ee_turn *last = ee_turn_before(&t->points, 0);
    if (last != NULL && last->at == t->buffer.length - 1)
        close_beat(t, 0, NULL);
    else if (last != NULL && last->is_ed)
        end_fall(t);
    else if (last != NULL)
        end_rise(t);
    rising_beat(t);
}

void ee_beat_tracker_push(ee_beat_tracker *t, double area_px) {
    ee_curve_buffer *b = &t->buffer;
    const uint64_t frame = t->frames++;
    const int32_t missing = (int32_t)(frame - b->first_frame) - b->length;
    if (!(isfinite(area_px) && area_px > 0)) {
        if (b->length > 0 && missing < b->windows.gap)
            return;
        end_piece(t);
        restart(t, frame + 1);
        return;
    }
    t->seen++;
    if (missing > 0) {
        const double from = b->values[b->length - 1], step = (area_px - from) / (missing + 1);
        for (int32_t i = 1; i <= missing; i++)
            ee_curve_buffer_append(b, i * step + from, false);
        ee_remove_glitch(b);
    }
    ee_curve_buffer_append(b, area_px, true);
    ee_remove_glitch(b);
    /* the newest value may still prove to be a glitch */
    ee_smooth_to(b, b->length - 1 - b->windows.half);
    if (b->length > b->windows.warm_up)
        follow(t);
    const int32_t cut = ee_curve_buffer_trim(b);
    if (cut > 0)
        ee_turning_points_shift(&t->points, cut);
}

void ee_beat_tracker_finish(ee_beat_tracker *t) {
    end_piece(t);
    restart(t, t->frames);
}

ee_reason ee_why_no_beat(const ee_beat_tracker *t) {
    if (t->frames < EE_MIN_CURVE_FRAMES)
        return EE_REASON_TOO_SHORT;
    if (t->seen == 0)
        return EE_REASON_NO_VENTRICLE;
    if ((double)t->seen < EE_MIN_SEEN_FRACTION * (double)t->frames)
        return EE_REASON_SELDOM_SEEN;
    if (t->rejected != EE_REASON_NONE)
        return t->rejected;
    if (t->change < EE_MIN_FALL_FRACTION / 2)
        return EE_REASON_NOTHING_BEATS;
    return t->es_count == 0 ? EE_REASON_NO_ES : EE_REASON_NO_ED;
}
