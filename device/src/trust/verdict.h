/* Verdict on the figures so far: Python's `verdict.py`, for a stream. */
#ifndef EE_VERDICT_H
#define EE_VERDICT_H

#include "../measure/beat_history.h"
#include "view.h"

typedef struct ee_verdict {
    uint64_t reasons, notes; /* bits, 1 << ee_reason: of findings of a level from review on, and of notes */
    uint32_t level;          /* of the worst: EDGEECHO_REPORT (a note, or none), _REVIEW or _WITHHOLD */
} ee_verdict;

typedef struct ee_found { /* reasons that were found elsewhere: bits, 1 << ee_reason, by their level */
    uint64_t review, withhold;
} ee_found;

/* Judge all beats together; `no_beat` is the reason why there are none. `view` is NULL while it is searched; `others`
 * may be NULL. */
ee_verdict ee_judge_all(const ee_beat_history *history, ee_reason no_beat, const ee_view *view, const ee_found *others);

#endif
