/* The mask of a probability map at the frame's own pixels, as runs of pixels; docs/model-file.md specifies it. */
#ifndef EE_MASK_RUNS_H
#define EE_MASK_RUNS_H

#include "measure/component.h"
#include "region.h"

typedef struct ee_mask_map { /* from a square map to the part of a region that lies in the frame */
    uint32_t size;           /* of the map, its sides in pixels */
    uint8_t threshold;       /* a pixel is cavity where the resampled map is at least this */
    ee_axes axes;
    size_t x, y; /* first pixel of that part in the frame */
    uint32_t *from,
        *beyond;    /* for each column of the map, and its end: the first pixel that reads nothing before it, and
                              * the first that reads something beyond it; room for size + 1 numbers each */
    uint32_t reach; /* most columns that a pixel reads beside one */
    uint32_t *sums; /* room for `size` numbers */
} ee_mask_map;

/* Set the way of the map's pixels to those of a region of a frame, `width` by `height` pixels. */
void ee_mask_map_set(ee_mask_map *map, const ee_roi *roi, uint32_t width, uint32_t height);

/* Write the runs of the mask, in raster order and in pixels of the frame, and return their number. `prob` is the map. */
size_t ee_find_mask_runs(const ee_mask_map *map, const uint8_t *prob, ee_run *runs);

/* Draw runs as a mask of 1 and 0, `width` by `height` pixels in rows of any stride. */
void ee_draw_mask(const ee_runs *runs, uint32_t width, uint32_t height, uint8_t *mask, size_t stride);

#endif
