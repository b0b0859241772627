/* Score of one mask at the network's size: Python's `mask_score.py`. */
#ifndef EE_MASK_SCORE_H
#define EE_MASK_SCORE_H

#include "../measure/component.h"
#include "../resample.h"

typedef struct ee_mask_score { /* whole numbers */
    uint64_t pixels, total;    /* at or above the threshold, and the sum of their `prob` */
    uint64_t largest;          /* pixels of the largest piece (4 neighbours) */
    uint64_t edge, outside;    /* pixels on the edge of the picture, and outside the fan */
    ee_box box;                /* around the largest piece */
} ee_mask_score;

typedef struct ee_scorer { /* room for scores of pictures of `size` pixels a side */
    uint32_t size;
    uint8_t threshold;
    uint8_t *mask; /* size * size */
    ee_run *runs;  /* size * ceil(size / 2) */
} ee_scorer;

/* Score a probability map; `inside` is 1 in the fan and 0 elsewhere, and NULL takes all. */
ee_mask_score ee_score(const ee_scorer *scorer, const uint8_t *prob, const uint8_t *inside);

/* Mean probability inside the mask, 0 to 1; 0 if it is empty. */
double ee_confidence(const ee_mask_score *score);

/* Whether the mask reaches the edge of the picture. */
int ee_is_cut(const ee_mask_score *score);

#endif
