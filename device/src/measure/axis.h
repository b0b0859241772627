/* The long axis of a left ventricle: Python's `long_axis.py`, where the algorithm is explained. */
#ifndef EE_MEASURE_AXIS_H
#define EE_MEASURE_AXIS_H

#include <stdbool.h>

#include "region.h"

/* A place or a direction, in mm. */
typedef struct {
    double row, col;
} ee_vector;

typedef struct {
    ee_vector down;  /* unit vector from apex to base */
    double start;    /* of the axis, along `down` from the corner of the box */
    double length;   /* from there to the base */
    double pixel;    /* length of a pixel along it */
} ee_axis;

/* Fills in the region's edge too, and leaves it out of order. False if there are too few pixels. */
bool ee_find_axis(ee_region *region, ee_vector spacing_mm, ee_axis *axis);

#endif
