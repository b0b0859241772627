/* Volume by the single-plane method of discs. */
#ifndef EE_MEASURE_DISCS_H
#define EE_MEASURE_DISCS_H

#include "axis.h"

/* Of the largest region of the first `count` runs, in mm3: pi / 4 * sum of d^2 * L / 20. NAN if it has fewer than 30
 * pixels. */
double ee_disc_volume(ee_region *region, size_t count, ee_vector spacing_mm);

#endif
