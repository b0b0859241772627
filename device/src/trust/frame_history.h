/* What the frames of a cine showed, kept as sums: Python's `frame_history.py`. */
#ifndef EE_FRAME_HISTORY_H
#define EE_FRAME_HISTORY_H

#include "../measure/rigid_motion.h"
#include "mask_score.h"

typedef struct ee_frame_sums { /* over the frames from the first on */
    uint64_t pixels, total, broken, edge, outside;
} ee_frame_sums;

typedef struct ee_motion { /* of the picture, over its steps from frame to frame */
    double explained, whole;
    uint64_t still; /* steps without any change */
} ee_motion;

typedef struct ee_frame_history {
    size_t capacity; /* frames that are kept, as far back as a beat may reach; room for so many in each ring: */
    ee_frame_sums *sums;
    ee_box *boxes;
    ee_motion *motion;
    ee_small pictures[2]; /* small pictures of the last two frames */
    uint16_t *columns;    /* room for `size` numbers */
    uint32_t size, cells;
    uint64_t scored, seen; /* frames whose mask was scored, and whose picture was seen */
} ee_frame_history;

/* Frames that are kept at a frame rate (0: unknown), if masks come `delay` frames after pictures. */
size_t ee_frame_history_capacity(double fps, uint32_t delay);

void ee_frame_history_reset(ee_frame_history *history);

/* Take the network's next picture, and the score of the next mask. */
void ee_frame_history_see(ee_frame_history *history, const uint8_t *picture);
void ee_frame_history_score(ee_frame_history *history, const ee_mask_score *score);

/* Sums over the frames from `first` to `last`, both included. */
ee_frame_sums ee_frame_history_over(const ee_frame_history *history, uint64_t first, uint64_t last);

/* Motion from frame `first` to frame `last`. */
ee_motion ee_frame_history_motion(const ee_frame_history *history, uint64_t first, uint64_t last);

/* Box of a frame's mask. */
ee_box ee_frame_history_box(const ee_frame_history *history, uint64_t frame);

#endif
