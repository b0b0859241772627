#include "verdict.h"

#include <math.h>

#include "constants.h"

enum { NOTE = EDGEECHO_REPORT, REVIEW = EDGEECHO_REVIEW, WITHHOLD = EDGEECHO_WITHHOLD };

typedef struct { /* of levels; a reason may be found more than once */
    uint32_t counts[EE_REASONS][WITHHOLD + 1];
} findings;

static void find(findings *found, ee_reason reason, int level) {
    found->counts[reason][level]++;
}

/* Find reasons in which beats differ from each other. */
static void find_disagreements(findings *found, const ee_beat_history *h) {
    const double *ef = h->sorted[EE_EF], *rates = h->sorted[EE_RATE];
    const uint32_t beats = h->values[EE_EF], n = h->values[EE_RATE];
    const double range = ef[beats - 1] - ef[0];
    if (range > EE_MAX_EF_RANGES_0)
        find(found, EE_REASON_BEATS_DISAGREE, range > EE_MAX_EF_RANGES_1 ? WITHHOLD : REVIEW);
    if (!n)
        return;
    /* lengths fall as rates rise */
    const double longest = 60 / rates[0], shortest = 60 / rates[n - 1];
    const double median = n % 2 ? 60 / rates[n / 2] : (60 / rates[n / 2] + 60 / rates[n / 2 - 1]) / 2;
    if (longest - shortest > EE_MAX_LENGTH_RANGE * median)
        find(found, EE_REASON_IRREGULAR, REVIEW);
}

/* Withhold where the network is unsure of the view, and anything else is doubtful or the picture is not upright. */
static void weigh(findings *found) {
    static const ee_reason not_upright[] = {EE_REASON_MIRRORED, EE_REASON_TURNED, EE_REASON_INVERTED};
    uint32_t weighty = 0, *unlikely = found->counts[EE_REASON_VIEW_UNLIKELY];
    for (int reason = 0; reason < EE_REASONS; reason++) {
        const uint32_t *levels = found->counts[reason];
        uint32_t is_weighty = levels[REVIEW] || levels[WITHHOLD];
        for (size_t i = 0; i < sizeof not_upright / sizeof *not_upright; i++)
            is_weighty |= reason == (int)not_upright[i] && levels[NOTE];
        weighty += is_weighty;
    }
    if (!(unlikely[REVIEW] || unlikely[WITHHOLD]) || weighty < 2)
        return;
    unlikely[WITHHOLD] += unlikely[NOTE] + unlikely[REVIEW];
    unlikely[NOTE] = unlikely[REVIEW] = 0;
}

static void judge_beats(findings *found, const ee_beat_history *h, ee_reason no_beat) {
    const uint32_t kept = ee_beat_history_kept(h), left_out = kept - h->used;
    const int level = !h->used ? WITHHOLD : left_out >= h->used ? REVIEW : NOTE;
    if (!kept) {
        find(found, no_beat, WITHHOLD);
        return;
    }
    for (ee_reason reason = EE_REASON_NONE; reason < EE_REASONS; reason++) {
        if (h->severe[reason])
            find(found, reason, level);
        if (h->doubtful[reason])
            find(found, reason, 2 * h->doubtful[reason] >= h->used ? REVIEW : NOTE);
    }
    if (h->used)
        find_disagreements(found, h);
}

/* Whether two flips show mirrored pictures: they are neighbours in the list, from an even number on, but for turns. */
static int is_mirror(uint32_t a, uint32_t b) {
    static const uint32_t pairs[][2] = {
        {EDGEECHO_FLIP_NONE, EDGEECHO_FLIP_LR},
        {EDGEECHO_FLIP_UD, EDGEECHO_FLIP_LRUD},
        {EDGEECHO_FLIP_CW, EDGEECHO_FLIP_CWLR},
        {EDGEECHO_FLIP_CCW, EDGEECHO_FLIP_CCWLR},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((a == pairs[i][0] && b == pairs[i][1]) || (a == pairs[i][1] && b == pairs[i][0]))
            return 1;
    return 0;
}

static void judge_view(findings *found, const ee_view *view) {
    if (!view->is_clear)
        find(found, is_mirror(view->flip, view->rival) ? EE_REASON_MIRRORED : EE_REASON_TURNED,
             view->flips_agree ? REVIEW : WITHHOLD);
    else if (view->flip != EDGEECHO_FLIP_NONE && view->flip != EDGEECHO_FLIP_LR && !view->shows_apex)
        find(found, EE_REASON_TURNED, WITHHOLD);
    else if (view->flip != EDGEECHO_FLIP_NONE)
        find(found, view->flip == EDGEECHO_FLIP_LR ? EE_REASON_MIRRORED : EE_REASON_TURNED, NOTE);
    if (view->is_inverted)
        find(found, EE_REASON_INVERTED, NOTE);
    if (view->panels)
        find(found, EE_REASON_REGION_UNSURE, WITHHOLD);
}

static void find_others(findings *found, const ee_found *others) {
    for (int reason = 0; reason < EE_REASONS; reason++)
        if (others->withhold >> reason & 1)
            find(found, reason, WITHHOLD);
        else if (others->review >> reason & 1)
            find(found, reason, REVIEW);
}

ee_verdict ee_judge_all(const ee_beat_history *h, ee_reason no_beat, const ee_view *view, const ee_found *others) {
    findings found = {0};
    ee_verdict verdict = {0};
    if (view) {
        judge_beats(&found, h, no_beat);
        judge_view(&found, view);
        if (others)
            find_others(&found, others);
        weigh(&found);
    } else {
        find(&found, EE_REASON_REGION_UNSURE, WITHHOLD);
    }
    for (int reason = 0; reason < EE_REASONS; reason++)
        for (uint32_t level = NOTE; level <= WITHHOLD; level++) {
            if (!found.counts[reason][level])
                continue;
            *(level == NOTE ? &verdict.notes : &verdict.reasons) |= (uint64_t)1 << reason;
            verdict.level = level > verdict.level ? level : verdict.level;
        }
    return verdict;
}
