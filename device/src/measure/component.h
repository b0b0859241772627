/* The largest connected component of a mask (4 neighbours), as runs of pixels, and its edge: Python's `component.py`. */
#ifndef EE_MEASURE_COMPONENT_H
#define EE_MEASURE_COMPONENT_H

#include <stddef.h>
#include <stdint.h>

/* Pixels `first` to `last` of a row. */
typedef struct {
    uint16_t row, first, last;
    int32_t link; /* while components are found: an earlier run of the component, or minus the pixels of a first one */
} ee_run;

typedef struct {
    uint16_t row, col;
} ee_pixel;

/* Rows and columns count from the corner of the box that holds the whole mask; runs and edge are in raster order. */
typedef struct {
    uint32_t width, height;            /* of the masks */
    uint32_t top, bottom, left, right; /* outside of which they are 0; bottom and right are exclusive */
    ee_run *runs;                      /* room for height * ceil(width / 2) */
    ee_pixel *edge;                    /* pixels of which a neighbour is outside; room for height * width */
    size_t run_count, edge_count, pixels;
} ee_component;

/* Join the runs of each component: of a first run, `link` becomes minus the pixels of its component, of any other the
 * index of an earlier run of it. */
void ee_join_runs(ee_run *runs, size_t count);

/* Then let each link be the index of the first run of its component. */
void ee_settle_runs(ee_run *runs, size_t count);

/* Write all runs of a mask (dense; 0 is outside) into `runs`, in raster order, and return their number. */
size_t ee_find_runs(ee_component *component, const uint8_t *mask);

/* Find the largest component of the first `count` of `runs` and keep its runs alone. Of components of one size the
 * first in raster order. */
void ee_largest_component(ee_component *component, size_t count);

/* Clear every pixel of a mask that is not in the largest component of the first `count` of `runs`, which are all of the
 * mask; keep that component's runs alone, and return their number. `pixels` becomes its size. */
size_t ee_keep_largest(ee_component *component, size_t count, uint8_t *mask);

/* Fill in the edge: the pixels of which one of the four neighbours is outside. */
void ee_edge_pixels(ee_component *component);

#endif
