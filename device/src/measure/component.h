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
    uint32_t width, height; /* of the masks */
    ee_run *runs;           /* room for height * ceil(width / 2) */
    ee_pixel *edge;         /* pixels of which a neighbour is outside; room for height * width */
    size_t run_count, edge_count, pixels;
    ee_pixel corner; /* of that box, in the mask */
} ee_component;

typedef struct { /* of a mask, in raster order */
    const ee_run *runs;
    size_t count;
    ee_pixel corner; /* from which their rows and columns count */
} ee_runs;

/* Join the runs of each component: of a first run, `link` becomes minus the pixels of its component, of any other the
 * index of an earlier run of it. */
void ee_join_runs(ee_run *runs, size_t count);

/* Then let each link be the index of the first run of its component. */
void ee_settle_runs(ee_run *runs, size_t count);

/* Write all runs of a mask (dense; 0 is outside) into `runs`, in raster order, and return their number. */
size_t ee_find_runs(ee_component *component, const uint8_t *mask);

/* Keep the runs alone of the largest component of the first `count` of `runs`, where they are in the mask, and return
 * their number. `pixels` becomes its size. Of components of one size the first in raster order. */
size_t ee_keep_largest(ee_component *component, size_t count);

/* The same, and let rows and columns of the runs count from the corner of the box. */
void ee_largest_component(ee_component *component, size_t count);

/* Fill in the edge: the pixels of which one of the four neighbours is outside. */
void ee_edge_pixels(ee_component *component);

#endif
