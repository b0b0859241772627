#include "judge.h"

#include <math.h>

#include "curve.h"
#include "numbers.h"

static const double MAX_ROUGHNESS = 0.65;
/* Without the glitches, if they are few, less is asked of the rest. */
static const double SMOOTH = 0.35, FEW_GLITCHES = 0.05;
/* A beat of so few frames may be rough and jump if the curve repeats itself: 200 a minute at 20 fps has 6. */
static const double SHORT = 8;
static const double MIN_SIGNAL_TO_NOISE = 5;
/* A fall that is made to this part by one frame is a jump of the picture; nor is one a beat that is so many times
 * steeper than its mean slope between 90% and 10%. */
static const double JUMP = 0.8, STEEP = 4;

/* The largest step down, or up if the curve rises, from one value to the next, from index `from` to `to`. */
static double steepest(const double *curve, int32_t from, int32_t to, double sign)
{
    double most = -INFINITY;
    for (int32_t i = from; i < to; i++)
        most = ee_larger(most, sign * (curve[i] - curve[i + 1]));
    return most;
}

/* Part of the frames from `from` to `end`, not included, that show a ventricle. */
static double part_shown(const ee_tracker *t, int32_t from, int32_t end)
{
    int32_t shown = 0;
    for (int32_t i = from; i < end; i++)
        shown += t->shown[i];
    return (double)shown / (end - from);
}

/* Whether a fall is made by a few jumps. */
static bool is_staircase(const double *curve, int32_t ed, int32_t es)
{
    const double low = curve[es], fall = curve[ed] - low;
    double most = -INFINITY;
    int32_t start = ed, end = es;
    for (int32_t i = ed; i <= es; i++) {
        const double part = (curve[i] - low) / fall;
        if (i > ed)
            most = ee_larger(most, (curve[i - 1] - low) / fall - part);
        if (part >= 0.9)
            start = i;
    }
    for (int32_t i = es; i >= start; i--)
        if ((curve[i] - low) / fall <= 0.1)
            end = i;
    return most > STEEP * 0.8 / (end > start ? end - start : 1);
}

ee_why ee_judge(const ee_tracker *t, int32_t ed, int32_t es, int32_t end, double interval)
{
    const bool rises = es < ed;
    const int32_t start = rises ? es : ed;
    const int32_t from = start > t->memory / 2 ? start - t->memory / 2 : 0;
    const int32_t to = end + t->memory / 2 < t->length ? end + t->memory / 2 : t->length;
    const double *recent = t->values + from;
    const size_t length = (size_t)(to - from);
    const double shown = ee_smaller(part_shown(t, start, end + 1), part_shown(t, from, to));
    const double fall = t->smooth[ed] - t->smooth[es];
    if (fall < EE_MIN_FALL * t->smooth[ed])
        return EE_WHY_STILL;
    if (!(interval > 0 && interval <= SHORT && ee_is_periodic(recent, length, (size_t)interval))) {
        const bool smooth = 1 - shown <= FEW_GLITCHES && ee_roughness(recent, length) <= SMOOTH;
        if (!smooth && ee_roughness(t->raw + from, length) > MAX_ROUGHNESS)
            return EE_WHY_ROUGH;
        if (fall < MIN_SIGNAL_TO_NOISE * ee_ripple(recent, length, (size_t)t->half))
            return EE_WHY_NOISY;
        const double step = rises ? steepest(t->values, es, ed, -1) : steepest(t->values, ed, es, 1);
        /* a rise may be made by a few jumps, as the ventricle fills in two */
        if (step > JUMP * (t->values[ed] - t->values[es]) || (!rises && is_staircase(t->smooth, ed, es)))
            return EE_WHY_JUMPS;
    }
    return shown < EE_MIN_SEEN ? EE_WHY_GAPS : EE_WHY_NOTHING;
}

bool ee_is_level(const ee_tracker *t, int32_t start, int32_t stop, bool at_start)
{
    const double *smooth = t->smooth, sign = smooth[start] > smooth[stop] ? 1 : -1;
    const int32_t few = (stop - start) / 4 > 1 ? (stop - start) / 4 : 1;
    const double fall = at_start ? smooth[start] - smooth[start + few] : smooth[stop - few] - smooth[stop];
    return sign * fall / few <= 0.5 * steepest(smooth, start, stop, sign);
}

bool ee_starts_full(const ee_tracker *t, int32_t ed, int32_t es, const ee_turn *next_ed)
{
    const bool level = ee_is_level(t, ed, es, true);
    if (next_ed == NULL)
        return level;
    const double low = t->smooth[es];
    return t->smooth[ed] - low >= (level ? 0.75 : 0.9) * (t->smooth[next_ed->at] - low);
}
