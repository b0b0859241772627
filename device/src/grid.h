/* Small pictures of the whole frame, in which fans are searched: Python's `edgeecho/preprocess/grid.py`. */
#ifndef EE_GRID_H
#define EE_GRID_H

#include "fan.h"
#include "region.h"

typedef struct ee_grid {
    uint32_t cells; /* rows and columns */
    ee_axes axes;   /* from the whole frame to the cells; the owner sets its arrays */
    uint8_t brightest[EE_GRID_PX * EE_GRID_PX], darkest[EE_GRID_PX * EE_GRID_PX], picture[EE_GRID_PX * EE_GRID_PX];
} ee_grid;

/* Begin for frames of a shape, or again. */
void ee_grid_init(ee_grid *grid, const ee_shape *shape);
void ee_grid_reset(ee_grid *grid);

/* Add a frame; `sums` has EE_SUM_ROOM times `room` numbers, `room` at least the frame's width. */
void ee_grid_add(ee_grid *grid, const uint8_t *pixels, size_t stride, uint64_t *sums, size_t room);

/* Invert the grey levels of all frames so far. */
void ee_grid_invert(ee_grid *grid);

/* Whether any cell of any frame was not black. */
int ee_grid_is_lit(const ee_grid *grid);

/* Whether a quarter or more of the lit cells were bright in every frame, as in a picture of inverted levels. */
int ee_grid_is_bright(const ee_grid *grid);

#endif
