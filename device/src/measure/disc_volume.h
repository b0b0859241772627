/* Volume by the single-plane method of discs. */
#ifndef EE_MEASURE_DISC_VOLUME_H
#define EE_MEASURE_DISC_VOLUME_H

#include "long_axis.h"

/* Volume of the largest component of the first `count` runs, in mm3: pi / 4 * sum of d^2 * L / EE_DISCS. NAN if it has
 * fewer than EE_MIN_COMPONENT_PX pixels. */
double ee_disc_volume(ee_component *component, size_t count, ee_vector spacing_mm);

#endif
