/* Judges beats, all beats together and views whose sums are given, for tests/device/test_judgements.py. */
#include <stdlib.h>

#include "trust/beat_judge.h"
#include "trust/verdict.h"

typedef struct given_beat { /* what the history has about the frames of a beat, and the beat */
    ee_frame_sums sums;
    ee_motion motion;
    ee_box first_box, last_box;
    uint64_t ed_frame, es_frame, next_ed_frame;
    double interval_frames, elongation, ef_percent;
} given_beat;

typedef struct given_view {
    uint32_t flip, rival, is_inverted, is_clear, flips_agree, shows_apex, panels;
} given_view;

enum { FRAMES = 64 };

/* The reasons of a beat, and which of them are severe, in `judged`. */
void judge_beat(const given_beat *given, uint64_t judged[2]) {
    static ee_frame_sums sums[FRAMES];
    static ee_motion motion[FRAMES];
    static ee_box boxes[FRAMES];
    ee_beat beat = {0};
    beat.ed_frame = given->ed_frame;
    beat.es_frame = given->es_frame;
    beat.next_ed_frame = given->next_ed_frame;
    beat.interval_frames = given->interval_frames;
    const uint64_t first = beat.ed_frame < beat.es_frame ? beat.ed_frame : beat.es_frame;
    const uint64_t end = beat.ed_frame > beat.es_frame ? beat.ed_frame : beat.es_frame;
    const uint64_t last = beat.next_ed_frame ? beat.next_ed_frame : end;
    for (size_t i = 0; i < FRAMES; i++) { /* sums before the beat are 0; those of another frame would be seen */
        sums[i] = (ee_frame_sums){i, 2 * i, i, i, i};
        motion[i] = (ee_motion){(double)i, (double)i, i};
    }
    sums[first - 1] = (ee_frame_sums){0};
    motion[first] = (ee_motion){0};
    sums[last] = given->sums;
    motion[last] = given->motion;
    boxes[first] = given->first_box;
    boxes[last] = given->last_box;
    ee_frame_history history = {.capacity = FRAMES, .sums = sums, .boxes = boxes, .motion = motion};
    history.scored = history.seen = FRAMES;
    ee_beat_measurement measured = {.ef_percent = given->ef_percent};
    ee_judge_beat(&history, &beat, given->elongation, &measured);
    judged[0] = measured.reasons;
    judged[1] = measured.severe;
}

/* The verdict on beats, of which those before the last `EE_BEATS_KEPT` are forgotten. 1 if there is no memory. */
int judge_all(const ee_beat_measurement *beats, size_t count, ee_reason no_beat, const given_view *given,
              const ee_found *others, ee_verdict *verdict) {
    ee_beat_history history = {.beats = malloc(EE_BEATS_KEPT * sizeof(ee_beat_measurement))};
    double *sorted = malloc(EE_FIGURES * EE_BEATS_KEPT * sizeof *sorted);
    if (!history.beats || !sorted)
        return 1;
    for (ee_figure i = EE_EF; i < EE_FIGURES; i++)
        history.sorted[i] = sorted + (size_t)i * EE_BEATS_KEPT;
    for (size_t i = 0; i < count; i++)
        ee_beat_history_add(&history, beats + i);
    const ee_view view = {
        .flip = given->flip,
        .rival = given->rival,
        .is_inverted = (int)given->is_inverted,
        .is_clear = (int)given->is_clear,
        .flips_agree = (int)given->flips_agree,
        .shows_apex = (int)given->shows_apex,
        .panels = given->panels,
    };
    *verdict = ee_judge_all(&history, no_beat, &view, others);
    free(sorted);
    free(history.beats);
    return 0;
}
