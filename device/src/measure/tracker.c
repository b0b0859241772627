#include "tracker.h"

#include <math.h>
#include <string.h>

#include "curve.h"
#include "judge.h"
#include "numbers.h"
#include "turns.h"

static const double ASSUMED_FPS = 50;
static const double SMOOTH_S = 0.12, WARM_UP_S = 2, MEMORY_S = 4, LONGEST_S = 6, GAP_S = 0.2;
/* A frame that differs from both neighbours, to the same side, by more than this part of their mean is not seen. */
static const double GLITCH = 0.3;

static int32_t frames_in(double seconds, double fps, int32_t least)
{
    const int32_t frames = (int32_t)nearbyint((fps > 0 ? fps : ASSUMED_FPS) * seconds);
    return frames > least ? frames : least;
}

size_t ee_tracker_capacity(double fps)
{
    return (size_t)(2 * frames_in(LONGEST_S, fps, 48) + frames_in(GAP_S, fps, 2) + 1);
}

/* Begin a piece of curve at a frame. */
static void start(ee_tracker *t, uint64_t frame)
{
    t->first = frame;
    t->length = t->smoothed = t->followed = t->low = t->high = t->turn_count = 0;
}

void ee_tracker_reset(ee_tracker *t)
{
    t->frames = t->seen = t->turned = t->said = 0;
    t->change = 0;
    t->rejected = EE_WHY_NOTHING;
    start(t, 0);
}

void ee_tracker_init(ee_tracker *t, double fps)
{
    t->half = fps > 0 ? frames_in(SMOOTH_S / 2, fps, 2) : 2;
    t->warm_up = frames_in(WARM_UP_S, fps, 8);
    t->memory = frames_in(MEMORY_S, fps, 24);
    t->longest = frames_in(LONGEST_S, fps, 48);
    t->gap = frames_in(GAP_S, fps, 2);
    ee_tracker_reset(t);
}

static void append(ee_tracker *t, double value, bool shown)
{
    t->raw[t->length] = t->values[t->length] = value;
    t->shown[t->length++] = shown;
}

/* Replace the last value but one where it is a glitch. */
static void mend(ee_tracker *t)
{
    if (t->length < 3)
        return;
    double *last = t->values + t->length - 3;
    const double up = last[1] - last[0], down = last[1] - last[2];
    if (up * down > 0 && ee_smaller(fabs(up), fabs(down)) > GLITCH * (last[0] + last[2]) / 2) {
        last[1] = (last[0] + last[2]) / 2;
        t->shown[t->length - 2] = false;
    }
}

/* Forget what no beat can reach any more; not at every frame, since it moves the buffer. */
static void trim(ee_tracker *t)
{
    if (t->length < 2 * t->longest)
        return;
    const int32_t cut = t->length - t->longest;
    const size_t kept = (size_t)t->longest;
    memmove(t->raw, t->raw + cut, kept * sizeof *t->raw);
    memmove(t->values, t->values + cut, kept * sizeof *t->values);
    memmove(t->shown, t->shown + cut, kept * sizeof *t->shown);
    memmove(t->smooth, t->smooth + cut, (size_t)(t->smoothed - cut) * sizeof *t->smooth);
    t->first += (uint64_t)cut;
    t->length -= cut;
    t->smoothed -= cut;
    t->followed = t->followed > cut ? t->followed - cut : 0;
    t->low = t->low > cut ? t->low - cut : 0;
    t->high = t->high > cut ? t->high - cut : 0;
    int32_t left = 0;
    for (int32_t i = 0; i < t->turn_count; i++) {
        t->turns[i].at -= cut;
        if (t->turns[i].at >= 0)
            t->turns[left++] = t->turns[i];
    }
    t->turn_count = left;
}

void ee_tracker_push(ee_tracker *t, double area_px)
{
    const uint64_t frame = t->frames++;
    const int32_t missing = (int32_t)(frame - t->first) - t->length;
    if (!(isfinite(area_px) && area_px > 0)) {
        if (t->length > 0 && missing < t->gap)
            return;
        ee_end_piece(t);
        start(t, frame + 1);
        return;
    }
    t->seen++;
    if (missing > 0) {
        const double from = t->values[t->length - 1], step = (area_px - from) / (missing + 1);
        for (int32_t i = 1; i <= missing; i++)
            append(t, i * step + from, false);
        mend(t);
    }
    append(t, area_px, true);
    mend(t);
    /* the newest value may still turn out to be a glitch */
    ee_smooth_to(t, t->length - 1 - t->half);
    if (t->length > t->warm_up)
        ee_follow(t);
    trim(t);
}

void ee_tracker_finish(ee_tracker *t)
{
    ee_end_piece(t);
    start(t, t->frames);
}

ee_why ee_tracker_why(const ee_tracker *t)
{
    if (t->frames < 5)
        return EE_WHY_SHORT;
    if (t->seen == 0)
        return EE_WHY_NEVER_SEEN;
    if ((double)t->seen < EE_MIN_SEEN * (double)t->frames)
        return EE_WHY_SELDOM_SEEN;
    if (t->rejected != EE_WHY_NOTHING)
        return t->rejected;
    if (t->change < EE_MIN_FALL / 2)
        return EE_WHY_STILL;
    return t->turned == 0 ? EE_WHY_NO_ES : EE_WHY_NO_ED;
}
