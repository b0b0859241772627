#include "turning_points.h"

#include <math.h>
#include <string.h>

#include "area_curve.h"
#include "constants.h"
#include "numbers.h"

void ee_turning_points_restart(ee_turning_points *p) {
    p->count = p->followed = p->low = p->high = 0;
}

const ee_turn *ee_turn_before(const ee_turning_points *p, int32_t back) {
    return back < p->count ? &p->turns[p->count - 1 - back] : NULL;
}

void ee_add_turn(ee_turning_points *p, ee_turn turn) {
    if (p->count == EE_KEPT_TURNS)
        memmove(p->turns, p->turns + 1, (size_t)--p->count * sizeof turn);
    p->turns[p->count++] = turn;
}

int32_t ee_place_turn(ee_turning_points *p, const ee_curve_buffer *b, int32_t near, int32_t confirmed, bool is_ed) {
    const ee_turn *last = ee_turn_before(p, 0);
    const int32_t from = last ? last->at + 1 : 0;
    int32_t reach = confirmed - near;
    if (last && near - from + 1 < reach)
        reach = near - from + 1;
    int32_t half = (int32_t)(EE_PLACEMENT_WINDOW * (reach - 1));
    half = half > 1 ? half : 1;
    const double sign = is_ed ? 1 : -1;
    const int32_t length = confirmed - from + 1;
    double *piece = p->piece;
    int32_t best = 0;
    for (int32_t i = 0; i < length; i++) {
        piece[i] = sign * ee_smooth_at(b->values, (size_t)b->length, (size_t)(from + i), (size_t)half);
        if (piece[i] > piece[best])
            best = i;
    }
    if (is_ed) {
        const double equal = piece[best] - EE_TIE_TOLERANCE * (piece[best] - piece[length - 1]);
        for (int32_t i = length - 2; i > best; i--)
            if (piece[i] >= equal && piece[i] > piece[i + 1] && piece[i] >= piece[i - 1])
                return from + i;
    }
    return from + best;
}

/* Turning point that lies near one index and is confirmed at another. */
static ee_turn find_turn(ee_turning_points *p, const ee_curve_buffer *b, int32_t near, int32_t confirmed, bool is_ed) {
    ee_turn turn = {ee_place_turn(p, b, near, confirmed, is_ed), is_ed, false};
    if (p->count == 0) {
        const double height = b->smooth[turn.at], sign = is_ed ? 1 : -1;
        double approach = 0;
        for (int32_t i = 0; i < turn.at; i++)
            approach = ee_larger(approach, sign * (height - b->smooth[i]));
        turn.at_start = approach < EE_MIN_APPROACH_FRACTION * fabs(height - b->smooth[confirmed]);
    }
    return turn;
}

const ee_turn *ee_next_turn(ee_turning_points *p, const ee_curve_buffer *b, double range) {
    const double *smooth = b->smooth;
    while (p->followed < b->smoothed) {
        const int32_t at = p->followed++;
        const double value = smooth[at];
        const double least = ee_larger(EE_MIN_TURN_FRACTION * range, EE_MIN_FALL_FRACTION / 2 * value);
        p->high = value > smooth[p->high] ? at : p->high;
        p->low = value < smooth[p->low] ? at : p->low;
        const ee_turn *last = ee_turn_before(p, 0);
        const bool is_ed = (last == NULL || !last->is_ed) && smooth[p->high] - value >= least;
        const bool is_es = !is_ed && (last == NULL || last->is_ed) && value - smooth[p->low] >= least;
        if (is_ed || is_es) {
            ee_add_turn(p, find_turn(p, b, is_ed ? p->high : p->low, at, is_ed));
            p->low = p->high = at;
            return ee_turn_before(p, 0);
        }
    }
    return NULL;
}

void ee_turning_points_shift(ee_turning_points *p, int32_t cut) {
    p->followed = p->followed > cut ? p->followed - cut : 0;
    p->low = p->low > cut ? p->low - cut : 0;
    p->high = p->high > cut ? p->high - cut : 0;
    int32_t left = 0;
    for (int32_t i = 0; i < p->count; i++) {
        p->turns[i].at -= cut;
        if (p->turns[i].at >= 0)
            p->turns[left++] = p->turns[i];
    }
    p->count = left;
}
