/* Ultrasound fans on a small grid: Python's `edgeecho/preprocess/fan.py`, where the algorithm is explained. */
#ifndef EE_FAN_H
#define EE_FAN_H

#include "measure/component.h"
#include "resample.h"
#include "trust/constants.h"

enum {
    EE_CLOSING_EDGE = 2 * EE_CLOSING_CELLS,
    EE_PADDED_PX = EE_GRID_PX + 2 * EE_CLOSING_EDGE,
    EE_GRID_RUNS = EE_GRID_PX * ((EE_GRID_PX + 1) / 2),
    EE_MAX_FANS = EE_MIN_FAN_PARTS * EE_MIN_PANEL_PARTS /* there is no room for more of the least size */
};

typedef struct ee_fan { /* its cells, in each row of the box: the first and the last */
    ee_box box;
    uint8_t first[EE_GRID_PX], last[EE_GRID_PX];
} ee_fan;

typedef struct ee_hull { /* cells from `begin` to `end` (exclusive) of each row from `top` to `bottom` (exclusive) */
    uint32_t cells;      /* rows and columns of the grid */
    uint32_t top, bottom;
    uint8_t begin[EE_GRID_PX], end[EE_GRID_PX];
} ee_hull;

typedef struct ee_fans { /* those found at one threshold, from the largest to the smallest */
    uint32_t count;
    ee_fan largest;
    ee_box boxes[EE_MAX_FANS];
} ee_fans;

typedef struct ee_fan_finder { /* room for the search */
    uint8_t joined[EE_PADDED_PX * EE_PADDED_PX], other[EE_PADDED_PX * EE_PADDED_PX];
    ee_run runs[EE_GRID_RUNS];
    struct {
        int32_t first, pixels; /* first run of a component, and its size */
    } components[EE_GRID_RUNS];
    uint32_t levels; /* thresholds at which fans were found */
    ee_fans at[EE_LEVELS_COUNT];
} ee_fan_finder;

/* Find the fans at each threshold, from the brightest and the darkest level of each of `cells` * `cells` cells. */
void ee_find_fans(ee_fan_finder *finder, const uint8_t *brightest, const uint8_t *darkest, uint32_t cells);

/* The convex hull of a fan. */
void ee_hull_of(const ee_fan *fan, uint32_t cells, ee_hull *hull);

/* The side on which the apex of a fan lies. */
typedef enum { EE_NO_SIDE, EE_TOP, EE_BOTTOM, EE_LEFT, EE_RIGHT } ee_side;
ee_side ee_apex_side(const ee_hull *hull);

#endif
