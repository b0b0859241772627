#include "turns.h"

#include <math.h>
#include <string.h>

#include "curve.h"
#include "judge.h"
#include "numbers.h"

/* A turn is a fall or rise of this part of the range. */
static const double TURN = 0.45;
/* Half width of the window that places a turn, as a part of the frames until it is known. */
static const double SCALE = 0.8;
/* Maxima that differ by less than this part of the fall are equally high. */
static const double PLATEAU = 0.05;
/* Of the rise before, as much must a cine's last frame have fallen to be an ES. */
static const double EMPTIED = 0.9;

void ee_smooth_to(ee_tracker *t, int32_t end)
{
    for (; t->smoothed < end; t->smoothed++)
        t->smooth[t->smoothed] = ee_smooth_at(t->values, (size_t)t->length, (size_t)t->smoothed, (size_t)t->half);
}

/* Range of the beats in memory. */
static double range(const ee_tracker *t)
{
    const int32_t from = t->smoothed > t->memory ? t->smoothed - t->memory : 0;
    return ee_beat_range(t->smooth + from, (size_t)(t->smoothed - from));
}

static ee_turn *turn_before(ee_tracker *t, int32_t back)
{
    return back < t->turn_count ? &t->turns[t->turn_count - 1 - back] : NULL;
}

static void add_turn(ee_tracker *t, ee_turn turn)
{
    if (t->turn_count == EE_TURNS)
        memmove(t->turns, t->turns + 1, (size_t)--t->turn_count * sizeof turn);
    t->turns[t->turn_count++] = turn;
}

/* Where a turn is that lies near one index and became known at another: the extreme of the curve, smoothed in
 * proportion to the time until it was known. */
static int32_t place(ee_tracker *t, int32_t near, int32_t known, bool is_ed)
{
    const int32_t from = t->turn_count ? turn_before(t, 0)->at + 1 : 0;
    int32_t reach = known - near;
    if (t->turn_count && near - from + 1 < reach)
        reach = near - from + 1;
    int32_t half = (int32_t)(SCALE * (reach - 1));
    half = half > 1 ? half : 1;
    const double sign = is_ed ? 1 : -1;
    const int32_t length = known - from + 1;
    int32_t best = 0;
    for (int32_t i = 0; i < length; i++) {
        t->piece[i] = sign * ee_smooth_at(t->values, (size_t)t->length, (size_t)(from + i), (size_t)half);
        if (t->piece[i] > t->piece[best])
            best = i;
    }
    if (is_ed) {
        const double *piece = t->piece, equal = piece[best] - PLATEAU * (piece[best] - piece[length - 1]);
        for (int32_t i = length - 2; i > best; i--)
            if (piece[i] >= equal && piece[i] > piece[i + 1] && piece[i] >= piece[i - 1])
                return from + i;
    }
    return from + best;
}

static void say(ee_tracker *t, const ee_turn *ed, const ee_turn *es, double interval)
{
    const ee_found found = {t->first + (uint64_t)ed->at, t->first + (uint64_t)es->at, interval};
    t->said++;
    t->say(t->context, &found);
}

/* Say the beat of the last ED and ES, if it is one. `next_ed` is not yet among the turns; NULL if none is seen. */
static void beat(ee_tracker *t, const ee_turn *next_ed)
{
    const ee_turn *ed = turn_before(t, 1), *es = turn_before(t, 0), *es_before = turn_before(t, 2);
    if (ed == NULL || !ed->is_ed || (ed->at_start && !ee_starts_full(t, ed->at, es->at, next_ed)))
        return;
    double interval = 0;
    if (next_ed != NULL)
        interval = next_ed->at - ed->at;
    else if (es_before != NULL && !es_before->at_start)
        interval = es->at - es_before->at;
    const ee_why why = ee_judge(t, ed->at, es->at, next_ed ? next_ed->at : es->at, interval);
    if (why != EE_WHY_NOTHING) {
        t->rejected = why;
        t->turned--;
        return;
    }
    say(t, ed, es, interval);
}

/* Place a turn and say the beat that it closes. */
static void turn(ee_tracker *t, int32_t near, int32_t known, bool is_ed)
{
    ee_turn now = {place(t, near, known, is_ed), is_ed, false};
    if (t->turn_count == 0) {
        const double here = t->smooth[now.at];
        double came = 0;
        for (int32_t i = 0; i < now.at; i++)
            came = ee_larger(came, is_ed ? here - t->smooth[i] : t->smooth[i] - here);
        now.at_start = came < 0.1 * fabs(here - t->smooth[known]);
    }
    if (is_ed && !now.at_start)
        beat(t, &now);
    t->turned += !is_ed && !now.at_start;
    add_turn(t, now);
}

/* Take the smoothed curve to its end and say the beats that are complete. */
void ee_follow(ee_tracker *t)
{
    const double *smooth = t->smooth, size = range(t);
    if (smooth[t->smoothed - 1] > 0)
        t->change = ee_larger(t->change, size / smooth[t->smoothed - 1]);
    for (int32_t at = t->followed; at < t->smoothed; at++) {
        const double value = smooth[at], least = ee_larger(TURN * size, EE_MIN_FALL / 2 * value);
        t->high = value > smooth[t->high] ? at : t->high;
        t->low = value < smooth[t->low] ? at : t->low;
        const ee_turn *last = turn_before(t, 0);
        const bool may_be_ed = last == NULL || !last->is_ed, may_be_es = last == NULL || last->is_ed;
        if (may_be_ed && smooth[t->high] - value >= least) {
            turn(t, t->high, at, true);
            t->low = t->high = at;
        } else if (may_be_es && value - smooth[t->low] >= least) {
            turn(t, t->low, at, false);
            t->low = t->high = at;
        }
    }
    t->followed = t->smoothed;
}

/* A last ED that the curve did not fall from: whether it is one. */
static bool is_full(const ee_tracker *t, int32_t high, const ee_turn *ed, const ee_turn *es)
{
    const double *smooth = t->smooth;
    const double low = smooth[es->at];
    double size = range(t), lowest = smooth[high], top = ed ? smooth[ed->at] : low;
    if (ed != NULL)
        size = ee_larger(size, top - low);
    else
        for (int32_t i = 0; i < es->at; i++)
            top = ee_larger(top, smooth[i]);
    const bool back = smooth[high] - low >= 0.95 * (top - low);
    if (back && (ed != NULL || (t->said == 0 && ee_is_level(t, es->at, high, false))))
        return true;
    for (int32_t i = high; i < t->smoothed; i++)
        lowest = ee_smaller(lowest, smooth[i]);
    return smooth[high] - lowest >= 0.2 * size;
}

/* Whether the curve falls from the last ED as far as it had risen to it, where that is known. */
static bool is_emptied(ee_tracker *t, int32_t es)
{
    const ee_turn *ed = turn_before(t, 0), *es_before = turn_before(t, 1);
    if (es_before == NULL || es_before->at_start)
        return true;
    const double high = t->smooth[ed->at];
    return high - t->smooth[es] >= EMPTIED * (high - t->smooth[es_before->at]);
}

/* Follow the curve to its last value, then decide on the turn that is still open. */
static void end_turns(ee_tracker *t)
{
    ee_follow(t);
    const ee_turn *before = turn_before(t, 0);
    const int32_t last = t->length - 1;
    if (before == NULL || before->at == last) {
        beat(t, NULL);
        return;
    }
    if (!before->is_ed) {
        const ee_turn closing = {place(t, t->high, last, true), true, false};
        const bool full = is_full(t, closing.at, turn_before(t, 1), before);
        beat(t, full ? &closing : NULL);
        if (full)
            add_turn(t, closing);
        return;
    }
    const int32_t es = place(t, t->low, last, false);
    double highest = t->smooth[es];
    for (int32_t i = es; i <= last; i++)
        highest = ee_larger(highest, t->smooth[i]);
    const bool came_back = highest - t->smooth[es] >= 0.1 * (t->smooth[before->at] - t->smooth[es]);
    if (came_back || (ee_is_level(t, before->at, es, false) && is_emptied(t, es))) {
        t->turns[t->turn_count++] = (ee_turn){es, false, false};
        t->turned++;
        beat(t, NULL);
    }
}

/* Say the beat of an ES and the ED after it, of a cine without any other. */
static void rise(ee_tracker *t)
{
    const ee_turn *es = turn_before(t, 1), *ed = turn_before(t, 0);
    if (t->said > 0 || t->rejected != EE_WHY_NOTHING || es == NULL || !ed->is_ed)
        return;
    if (es->at_start && !ee_is_level(t, es->at, ed->at, true))
        return;
    const ee_why why = ee_judge(t, ed->at, es->at, ed->at, 0);
    if (why != EE_WHY_NOTHING)
        t->rejected = why;
    else
        say(t, ed, es, 0);
}

void ee_end_piece(ee_tracker *t)
{
    ee_smooth_to(t, t->length);
    if (t->length < 5)
        return;
    end_turns(t);
    rise(t);
}
