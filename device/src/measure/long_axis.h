/* The long axis of a left ventricle: Python's `long_axis.py`, where the algorithm is explained. */
#ifndef EE_MEASURE_LONG_AXIS_H
#define EE_MEASURE_LONG_AXIS_H

#include <stdbool.h>

#include "component.h"

/* A place or a direction, in mm. */
typedef struct {
    double row, col;
} ee_vector;

typedef struct {
    ee_vector down; /* unit vector from apex to base */
    double start;   /* of the axis, along `down` from the corner of the box */
    double length;  /* from there to the base */
    double extent;  /* length of a pixel along it */
} ee_long_axis;

/* Find the axis of a component; fills in its edge too, and leaves it out of order. False if there are too few pixels. */
bool ee_find_long_axis(ee_component *component, ee_vector spacing_mm, ee_long_axis *axis);

#endif
