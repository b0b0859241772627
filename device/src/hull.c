/* The convex hull of a fan and the side of its apex. */
#include "fan.h"
#include "region.h"

typedef struct {
    int32_t row, column;
} cell;

/* Positive if cell b lies to the left of the line down from a to c. */
static int32_t turn(cell a, cell b, cell c) {
    return (c.column - a.column) * (b.row - a.row) - (b.column - a.column) * (c.row - a.row);
}

/* Move `begin` (side 1) or `end` (side -1) of each row to the hull of the cells in `columns`. */
static void hull_side(ee_hull *hull, const uint8_t *columns, int32_t side) {
    cell chain[EE_GRID_PX];
    uint32_t count = 0;
    for (uint32_t row = hull->top; row < hull->bottom; row++) {
        const cell point = {(int32_t)row, columns[row]};
        while (count > 1 && side * turn(chain[count - 2], chain[count - 1], point) <= 0)
            count--;
        chain[count++] = point;
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        const cell a = chain[i], b = chain[i + 1];
        const int32_t down = b.row - a.row, right = b.column - a.column;
        for (uint32_t row = hull->top; row < hull->bottom; row++) {
            const int32_t way = ((int32_t)row - a.row) * right;
            if (side > 0) {
                const int64_t least = a.column - ee_floor_div(-way, down);
                if (least > hull->begin[row])
                    hull->begin[row] = (uint8_t)(least < hull->end[row] ? least : hull->end[row]);
            } else {
                const int64_t end = a.column + ee_floor_div(way, down) + 1;
                if (end < hull->end[row])
                    hull->end[row] = (uint8_t)(end > hull->begin[row] ? end : hull->begin[row]);
            }
        }
    }
}

void ee_hull_of(const ee_fan *fan, uint32_t cells, ee_hull *hull) {
    *hull = (ee_hull){.cells = cells, .top = fan->box.top, .bottom = fan->box.bottom};
    for (uint32_t row = hull->top; row < hull->bottom; row++)
        hull->end[row] = (uint8_t)cells;
    hull_side(hull, fan->first, 1);
    hull_side(hull, fan->last, -1);
}

/* Sum of some of the lines that are not empty. */
static uint32_t breadth_of(const uint32_t *breadth, uint32_t lines, uint32_t from, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = from; i < from + count && i < lines; i++)
        sum += breadth[i];
    return sum;
}

/* Compare the breadth near both ends of some lines: -1 if the first is narrow, 1 if the last is, else 0. */
static int narrow_end(const uint32_t *all, uint32_t cells) {
    uint32_t breadth[EE_GRID_PX], lines = 0;
    for (uint32_t i = 0; i < cells; i++)
        if (all[i])
            breadth[lines++] = all[i];
    const uint32_t quarter = lines / 4, count = quarter ? quarter : 1;
    const uint32_t first = breadth_of(breadth, lines, quarter / 2, count);
    const uint32_t last = breadth_of(breadth, lines, lines - 3 * quarter / 2 - 1, count);
    if (first * EE_APEX_RATIO_1 < last * EE_APEX_RATIO_0)
        return -1;
    return last * EE_APEX_RATIO_1 < first * EE_APEX_RATIO_0;
}

ee_side ee_apex_side(const ee_hull *hull) {
    uint32_t rows[EE_GRID_PX] = {0}, columns[EE_GRID_PX] = {0};
    for (uint32_t y = hull->top; y < hull->bottom; y++) {
        rows[y] = (uint32_t)(hull->end[y] - hull->begin[y]);
        for (uint32_t x = hull->begin[y]; x < hull->end[y]; x++)
            columns[x]++;
    }
    const int up = narrow_end(rows, hull->cells);
    if (up)
        return up < 0 ? EE_TOP : EE_BOTTOM;
    const int side = narrow_end(columns, hull->cells);
    return !side ? EE_NO_SIDE : side < 0 ? EE_LEFT : EE_RIGHT;
}
