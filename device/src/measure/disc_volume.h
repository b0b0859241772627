/* Volume by the single-plane method of discs. */
#ifndef EE_MEASURE_DISC_VOLUME_H
#define EE_MEASURE_DISC_VOLUME_H

#include "long_axis.h"

typedef struct {
    double volume;     /* in mm3: pi / 4 * sum of d^2 * L / EE_DISCS */
    double elongation; /* length over width: pi * L^2 / (4 * area) */
} ee_discs;

/* Measure the largest component of the first `count` runs. NAN if it has fewer than EE_MIN_COMPONENT_PX pixels. */
ee_discs ee_discs_of(ee_component *component, size_t count, ee_vector spacing_mm);

#endif
