/* Search for the view of a cine: Python's `view_search.py`, where the algorithm is explained. Its generator `sample` is
 * here a list of stages, each of which asks for looks. */
#ifndef EE_VIEW_SEARCH_H
#define EE_VIEW_SEARCH_H

#include "../frame_stream.h"
#include "../grid.h"
#include "mask_score.h"
#include "view.h"

typedef struct ee_region { /* to look at */
    ee_roi roi;
    const uint8_t *flips; /* orientations that the fan allows */
    uint32_t flip_count;
    int has_apex, has_fan;
    ee_fan fan;
} ee_region;

typedef struct ee_look { /* the network, run on a still: a region of the sampled frame in an orientation */
    ee_roi roi;
    uint32_t flip;
    int has_hole; /* a part of it is black: */
    ee_roi hole;
} ee_look;

typedef struct ee_sample { /* of one frame */
    int stage;             /* index in the list of stages */
    int waits;             /* a look was made, and its score not yet taken: */
    ee_look look;
    ee_mask_score score;
    ee_region regions[EE_LEVELS_COUNT + 1];
    uint32_t region_count, next; /* regions; the next of what the stage looks at */
    uint32_t chosen;             /* among `regions` */
    ee_mask_score best, first;   /* of the looks so far; of the first orientation */
    uint32_t flip;               /* of the best */
    const uint8_t *others;       /* orientations to compare with the first */
    uint32_t other_count;
    ee_mask_score rest; /* without the square in which a ventricle was found */
    int is_refined;     /* a square was kept */
    ee_roi tried[EE_MAX_PANELS + 2];
    uint32_t tried_count, most_tried;
    const ee_fans *beside; /* fans of the screen; NULL if there are none */
} ee_sample;

typedef struct ee_view_search {
    /* The owner sets these */
    ee_shape shape;
    uint64_t *sums; /* room for EE_SUM_ROOM rows of a frame */
    const ee_scorer *scorer;
    ee_frame_stream looks; /* runs the network on stills */
    ee_axes axes;          /* of a look */
    uint8_t *picture;      /* of a look, not turned; and its answer */
    uint8_t *sampled;      /* the sampled frame, dense, inverted where the search is */
    ee_roi given_roi;
    uint8_t given_flip;
    int searches_region, searches_orientation;
    /* The rest is the search's own */
    ee_grid grid;
    ee_fan_finder finder;
    int is_inverted;
    uint32_t samples;  /* in the present region */
    double confidence; /* sum over samples, of the first orientation */
    int has_refined;
    ee_roi refined;
    uint32_t panels;
    double gains[EE_FLIPS]; /* sum of confidence above upright, */
    uint32_t gain_looks[EE_FLIPS];
    int has_widest_fan;
    ee_fan widest_fan; /* of the lowest grey level */
    ee_region region;
    ee_sample sample;
} ee_view_search;

/* Begin the search in a cine. */
void ee_view_search_init(ee_view_search *search);

/* Forget all frames. */
void ee_view_search_restart(ee_view_search *search);

/* Add a frame, inverted where `is_inverted`, to the pictures in which fans are searched. */
void ee_view_search_add(ee_view_search *search, const uint8_t *pixels, size_t stride);

/* Begin to sample a frame. */
void ee_view_search_sample(ee_view_search *search, const uint8_t *pixels, size_t stride);

/* Go on with the sample for one look. MORE: it is not finished. OK: it is. */
edgeecho_status ee_view_search_step(ee_view_search *search);

/* The best view so far. */
ee_view ee_view_search_view(const ee_view_search *search);

/* A stage of a sample: how it begins (NULL: with nothing), what it looks at next (0: no more), and what follows from the
 * score of a look. */
typedef struct ee_stage {
    void (*begin)(ee_view_search *search);
    int (*next)(ee_view_search *search, ee_look *look);
    void (*take)(ee_view_search *search, const ee_mask_score *score);
} ee_stage;

enum { EE_STAGE_COUNT = 5 }; /* regions, orientations, around the mask, panels, inverted grey levels */
extern const ee_stage EE_STAGES[EE_STAGE_COUNT];

/* Orientations that put the apex of a fan at the top, by the side on which it lies: two for each. */
extern const uint8_t EE_APEX_FLIPS[EE_RIGHT + 1][2];

/* Parts of the search. */
void ee_find_candidates(ee_view_search *search); /* fills in the regions of the sample */
ee_roi ee_around(const ee_view_search *search, const ee_roi *roi, const ee_box *box);
void ee_forget_samples(ee_view_search *search);

#endif
