/* The last beats, and the values of each of their figures in order, so that a median costs nothing. */
#ifndef EE_MEASURE_BEAT_HISTORY_H
#define EE_MEASURE_BEAT_HISTORY_H

#include "beat_meter.h"

/* Figures that are summed up over beats. */
typedef enum { EE_EF, EE_EDV, EE_ESV, EE_SV, EE_RATE, EE_FIGURES } ee_figure;

typedef struct ee_beat_history {
    uint64_t count;                                    /* beats added */
    uint32_t used;                                     /* of those kept: beats that are not left out, */
    uint32_t doubtful[EE_REASONS], severe[EE_REASONS]; /* those of them, and of the others, that have a reason */
    ee_beat_measurement *beats;                        /* a ring; room for EE_BEATS_KEPT, as in each of `sorted` */
    double *sorted[EE_FIGURES];  /* the values of a figure that are not NAN, rising, of the beats that are used */
    uint32_t values[EE_FIGURES]; /* the number of them */
} ee_beat_history;

void ee_beat_history_reset(ee_beat_history *history);
uint32_t ee_beat_history_kept(const ee_beat_history *history);
void ee_beat_history_add(ee_beat_history *history, const ee_beat_measurement *beat);
bool ee_beat_history_get(const ee_beat_history *history, uint64_t i, ee_beat_measurement *out);
double ee_beat_history_median(const ee_beat_history *history, ee_figure figure);

#endif
