#include "disc_volume.h"

#include <math.h>

#include "constants.h"
#include "numbers.h"

static const double PI = 3.14159265358979323846;

/* Sum of `start + step * k`, limited to 0 and 1, for k from 0 to `count` - 1. */
static double limited_sum(double start, double step, double count) {
    if (step < 0) { /* the other way round */
        start += step * (count - 1);
        step = -step;
    }
    if (step * count < EE_MIN_DIVISOR)
        return count * ee_smaller(ee_larger(start, 0), 1);
    /* the terms before `low` are 0, those from `high` on 1 */
    const double low = ee_smaller(ee_larger(ceil(-start / step), 0), count);
    const double high = ee_smaller(ee_larger(ceil((1 - start) / step), low), count);
    return (high - low) * (start + step * (low + high - 1) / 2) + (count - high);
}

ee_discs ee_discs_of(ee_component *component, size_t count, ee_vector spacing) {
    ee_long_axis axis;
    ee_largest_component(component, count);
    if (!ee_find_long_axis(component, spacing, &axis))
        return (ee_discs){NAN, NAN};
    /* Pixels before each of the planes between discs. A pixel that a plane cuts counts in part: whole ones would
     * alternate between 2 and 3 rows a disc, for example, and squaring turns that into volume. */
    const double height = axis.length / EE_DISCS, step = axis.down.col * spacing.col / axis.extent;
    double before[EE_DISCS + 1] = {0};
    for (const ee_run *run = component->runs; run < component->runs + component->run_count; run++) {
        const double count = run->last - run->first + 1;
        const double first =
            (run->row * spacing.row * axis.down.row + run->first * spacing.col * axis.down.col) - axis.start;
        for (int i = 0; i <= EE_DISCS; i++) {
            const double part = (i * height - first) / axis.extent + 0.5; /* of the run's first pixel */
            const double other = part - step * (count - 1);
            if (part >= 1 && other >= 1)
                before[i] += count;
            else if (part > 0 || other > 0)
                before[i] += limited_sum(part, -step, count);
        }
    }
    double squares = 0;
    for (int i = 0; i < EE_DISCS; i++) {
        const double diameter = (before[i + 1] - before[i]) * (spacing.row * spacing.col / height);
        squares += diameter * diameter;
    }
    const double area = (double)component->pixels * (spacing.row * spacing.col);
    return (ee_discs){PI / 4 * squares * axis.length / EE_DISCS, PI * axis.length * axis.length / (4 * area)};
}
