#include "view.h"

ee_view ee_given_view(const ee_roi *roi, uint32_t flip) {
    return (ee_view){.roi = *roi, .flip = flip, .is_clear = 1, .shows_apex = 1};
}

/* Cell of the grid in which pixel `i` of the network's picture lies, along one axis; below 0 or from `cells` on where it
 * lies in none. */
static int64_t cell_of(uint32_t i, uint32_t size, int64_t start, int64_t length, int64_t first, int64_t side,
                       uint32_t cells) {
    const int64_t place = 2 * (start - first) * (int64_t)size + (2 * (int64_t)i + 1) * length;
    return ee_floor_div(place * (int64_t)cells, 2 * side * (int64_t)size);
}

void ee_view_inside(const ee_view *view, const ee_shape *shape, uint32_t cells, uint32_t size, uint8_t *inside) {
    const ee_roi whole = ee_whole_frame(shape), *roi = &view->roi;
    ee_hull hull;
    ee_hull_of(&view->fan, cells, &hull);
    for (uint32_t y = 0; y < size; y++) {
        const int64_t row = cell_of(y, size, roi->y, roi->height, whole.y, whole.height, cells);
        for (uint32_t x = 0; x < size; x++) {
            const int64_t column = cell_of(x, size, roi->x, roi->width, whole.x, whole.width, cells);
            inside[(size_t)y * size + x] =
                row >= hull.top && row < hull.bottom && column >= hull.begin[row] && column < hull.end[row];
        }
    }
}
