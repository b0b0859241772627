#include "frame_reasons.h"

#include <math.h>

#include "../measure/constants.h"
#include "constants.h"

static uint64_t bit(ee_reason reason, int is_found) {
    return (uint64_t)(is_found != 0) << reason;
}

uint64_t ee_frame_reasons(const ee_mask_score *score, int is_frozen) {
    const uint64_t frozen = bit(EE_REASON_FROZEN, is_frozen);
    if (!score->pixels)
        return frozen | bit(EE_REASON_NO_VENTRICLE, 1);
    const double pixels = (double)score->pixels;
    return frozen | bit(EE_REASON_VIEW_UNLIKELY, ee_confidence(score) < EE_SURE_CONFIDENCE) |
           bit(EE_REASON_MASK_IN_PIECES, (double)score->largest < EE_MIN_LARGEST_FRACTION * pixels) |
           bit(EE_REASON_MASK_OUTSIDE_FAN, (double)score->outside / pixels > EE_OUTSIDE_FRACTIONS_0) |
           bit(EE_REASON_CUT_BY_EDGE, (double)score->edge > EE_MAX_EDGE_FRACTION * sqrt(pixels));
}
