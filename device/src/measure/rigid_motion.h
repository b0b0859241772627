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

/* Sum a frame, `size_px` a side, over square blocks: `cells` * `cells` sums. `columns` has room for `size_px` numbers. */
void ee_small_picture(const uint8_t *frame, uint32_t size_px, uint32_t cells, uint16_t *columns, int32_t *sums);

/* Compare two small pictures, one after the other. */
ee_change ee_explained_change(const int32_t *before, const int32_t *after, uint32_t cells);

#endif
