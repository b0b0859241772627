#include "grid.h"

#include <string.h>

void ee_grid_reset(ee_grid *grid) {
    memset(grid->brightest, 0, sizeof grid->brightest);
    memset(grid->darkest, UINT8_MAX, sizeof grid->darkest);
}

void ee_grid_init(ee_grid *grid, const ee_shape *shape) {
    const ee_roi whole = ee_whole_frame(shape);
    const int64_t side = whole.height > whole.width ? whole.height : whole.width;
    grid->cells = side < EE_GRID_PX ? (uint32_t)side : EE_GRID_PX;
    ee_fill_axes_in(&grid->axes, &whole, grid->cells, shape->width, shape->height);
    ee_grid_reset(grid);
}

void ee_grid_add(ee_grid *grid, const uint8_t *pixels, size_t stride, uint64_t *sums, size_t room) {
    ee_resample(&grid->axes.rows, &grid->axes.columns, pixels, stride, sums, room, grid->picture);
    for (uint32_t i = 0; i < grid->cells * grid->cells; i++) {
        const uint8_t level = grid->picture[i];
        grid->brightest[i] = level > grid->brightest[i] ? level : grid->brightest[i];
        grid->darkest[i] = level < grid->darkest[i] ? level : grid->darkest[i];
    }
}

void ee_grid_invert(ee_grid *grid) {
    for (uint32_t i = 0; i < grid->cells * grid->cells; i++) {
        const uint8_t brightest = grid->brightest[i];
        grid->brightest[i] = (uint8_t)~grid->darkest[i];
        grid->darkest[i] = (uint8_t)~brightest;
    }
}

/* The lowest grey level above which a cell is lit. */
static int least_level(void) {
    static const int levels[] = EE_LEVELS;
    int least = levels[0];
    for (int i = 1; i < EE_LEVELS_COUNT; i++)
        least = levels[i] < least ? levels[i] : least;
    return least;
}

int ee_grid_is_bright(const ee_grid *grid) {
    const int least = least_level();
    uint32_t bright = 0, lit = 0;
    for (uint32_t i = 0; i < grid->cells * grid->cells; i++) {
        bright += grid->darkest[i] >= EE_MIN_BRIGHT_LEVEL;
        lit += grid->brightest[i] > least;
    }
    return bright * EE_MIN_BRIGHT_PARTS >= lit;
}

int ee_grid_is_lit(const ee_grid *grid) {
    const int least = least_level();
    int brightest = 0;
    for (uint32_t i = 0; i < grid->cells * grid->cells; i++)
        brightest = grid->brightest[i] > brightest ? grid->brightest[i] : brightest;
    return brightest > least;
}
