#include "beat_history.h"

#include <math.h>
#include <string.h>

static double figure_of(const ee_beat_measurement *beat, ee_figure figure) {
    const double figures[EE_FIGURES] = {
        [EE_EF] = beat->ef_percent, [EE_EDV] = beat->edv_ml,          [EE_ESV] = beat->esv_ml,
        [EE_SV] = beat->sv_ml,      [EE_RATE] = beat->heart_rate_bpm,
    };
    return figures[figure];
}

/* The number of values below one. */
static uint32_t rank(const double *sorted, uint32_t count, double value) {
    uint32_t low = 0;
    while (count > low) {
        const uint32_t middle = low + (count - low) / 2;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

void ee_beat_history_reset(ee_beat_history *h) {
    h->count = h->used = 0;
    memset(h->values, 0, sizeof h->values);
    memset(h->doubtful, 0, sizeof h->doubtful);
    memset(h->severe, 0, sizeof h->severe);
}

uint32_t ee_beat_history_kept(const ee_beat_history *h) {
    return h->count < EE_BEATS_KEPT ? (uint32_t)h->count : EE_BEATS_KEPT;
}

/* Count a beat among those kept, or no more: `step` is 1 or -1. */
static void count_reasons(ee_beat_history *h, const ee_beat_measurement *beat, int step) {
    uint32_t *counts = beat->severe ? h->severe : h->doubtful;
    const uint64_t bits = beat->severe ? beat->severe : beat->reasons;
    h->used += beat->severe ? 0 : (uint32_t)step;
    for (uint32_t reason = 0; reason < EE_REASONS; reason++)
        if (bits >> reason & 1)
            counts[reason] += (uint32_t)step;
}

/* Add a value to those of a figure, or take it out. */
static void count_value(ee_beat_history *h, ee_figure figure, double value, bool is_added) {
    double *sorted = h->sorted[figure];
    if (isnan(value))
        return;
    const uint32_t at = rank(sorted, h->values[figure], value);
    if (is_added) {
        memmove(sorted + at + 1, sorted + at, (h->values[figure]++ - at) * sizeof *sorted);
        sorted[at] = value;
    } else {
        memmove(sorted + at, sorted + at + 1, (--h->values[figure] - at) * sizeof *sorted);
    }
}

static void count_beat(ee_beat_history *h, const ee_beat_measurement *beat, bool is_added) {
    count_reasons(h, beat, is_added ? 1 : -1);
    for (ee_figure i = EE_EF; i < EE_FIGURES && !beat->severe; i++)
        count_value(h, i, figure_of(beat, i), is_added);
}

void ee_beat_history_add(ee_beat_history *h, const ee_beat_measurement *beat) {
    ee_beat_measurement *slot = &h->beats[h->count % EE_BEATS_KEPT];
    if (h->count >= EE_BEATS_KEPT)
        count_beat(h, slot, false); /* forget the oldest */
    count_beat(h, beat, true);
    *slot = *beat;
    h->count++;
}

bool ee_beat_history_get(const ee_beat_history *h, uint64_t i, ee_beat_measurement *out) {
    if (i >= h->count || h->count - i > EE_BEATS_KEPT)
        return false;
    *out = h->beats[i % EE_BEATS_KEPT];
    return true;
}

double ee_beat_history_median(const ee_beat_history *h, ee_figure figure) {
    const double *sorted = h->sorted[figure];
    const uint32_t n = h->values[figure];
    if (n == 0)
        return NAN;
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
