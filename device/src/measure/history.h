/* The last beats, and the median of each of their figures always at hand. */
#ifndef EE_MEASURE_HISTORY_H
#define EE_MEASURE_HISTORY_H

#include "meter.h"

/* What is summed up over beats. */
typedef enum { EE_EF, EE_EDV, EE_ESV, EE_SV, EE_RATE, EE_FIGURES } ee_figure;

typedef struct {
    uint64_t count;             /* beats added */
    ee_beat *beats;             /* a ring; room for EE_BEATS_KEPT, as in each of `sorted` */
    double *sorted[EE_FIGURES]; /* the known values of a figure, rising */
    uint32_t known[EE_FIGURES]; /* how many */
} ee_history;

void ee_history_reset(ee_history *history);
void ee_history_add(ee_history *history, const ee_beat *beat);
bool ee_history_get(const ee_history *history, uint64_t i, ee_beat *out);
double ee_history_median(const ee_history *history, ee_figure figure);

#endif
