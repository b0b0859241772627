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
    h->count = 0;
    memset(h->values, 0, sizeof h->values);
}

void ee_beat_history_add(ee_beat_history *h, const ee_beat_measurement *beat) {
    ee_beat_measurement *slot = &h->beats[h->count % EE_BEATS_KEPT];
    for (ee_figure i = EE_EF; i < EE_FIGURES; i++) {
        double *sorted = h->sorted[i], value = h->count < EE_BEATS_KEPT ? NAN : figure_of(slot, i);
        if (!isnan(value)) { /* forget the oldest */
            const uint32_t at = rank(sorted, h->values[i], value);
            memmove(sorted + at, sorted + at + 1, (--h->values[i] - at) * sizeof *sorted);
        }
        value = figure_of(beat, i);
        if (!isnan(value)) {
            const uint32_t at = rank(sorted, h->values[i], value);
            memmove(sorted + at + 1, sorted + at, (h->values[i]++ - at) * sizeof *sorted);
            sorted[at] = value;
        }
    }
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
