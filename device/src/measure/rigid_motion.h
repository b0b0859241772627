/* Motion of the picture as a whole between two frames: Python's `rigid_motion.py`, where the algorithm is explained. */
#ifndef EE_MEASURE_RIGID_MOTION_H
#define EE_MEASURE_RIGID_MOTION_H

#include <stdint.h>

#include "constants.h"

/* How much of the change from one picture to the next a shift, a zoom and a turn explain, and all change: sums of
 * squares. */
typedef struct {
    double explained, whole;
} ee_change;

/* Cells a side of the small pictures of frames of this side; at most EE_MOTION_CELLS. */
uint32_t ee_motion_cells(uint32_t size_px);

typedef struct {     /* room for cells * cells numbers each */
    int32_t *levels; /* means of blocks, in units of 1 / EE_LEVEL_PARTS of a grey level */
    int32_t *smooth; /* these, smoothed, without the outermost rows and columns */
} ee_small;

/* Make the small picture of a frame, `size_px` a side. `columns` has room for `size_px` numbers. */
void ee_make_small(const uint8_t *frame, uint32_t size_px, uint32_t cells, uint16_t *columns, ee_small *small);

/* Compare two small pictures, one after the other. */
ee_change ee_explained_change(const ee_small *before, const ee_small *after, uint32_t cells);

#endif
