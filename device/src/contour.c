#include "contour.h"

typedef struct { /* a mask whose pixels can be asked for */
    const ee_runs *runs;
    const uint32_t *rows; /* index of the first run of each row, and their number behind */
    int32_t height;
} lookup;

static int is_set(const lookup *m, int32_t x, int32_t y) {
    if (y < 0 || y >= m->height)
        return 0;
    for (uint32_t i = m->rows[y]; i < m->rows[y + 1]; i++) {
        const ee_run *run = &m->runs->runs[i];
        if (x < run->first)
            return 0;
        if (x <= run->last)
            return 1;
    }
    return 0;
}

enum { WEST = 4, DIRECTIONS = 8 };

/* The neighbour of a pixel in each direction, counterclockwise from the right. */
static edgeecho_point beside(edgeecho_point at, int direction) {
    static const int8_t steps[DIRECTIONS][2] = {{1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}, {0, 1}, {1, 1}};
    return (edgeecho_point){at.x + steps[direction][0], at.y + steps[direction][1]};
}

/* Turn from a direction, step by step, until a neighbour is set; DIRECTIONS if there is none. */
static int turn(const lookup *m, edgeecho_point at, int direction, int step) {
    for (int i = 1; i <= DIRECTIONS; i++) {
        const int next = (direction + i * step) & (DIRECTIONS - 1);
        const edgeecho_point p = beside(at, next);
        if (is_set(m, p.x, p.y))
            return next;
    }
    return DIRECTIONS;
}

static void index_rows(const ee_runs *runs, uint32_t height, uint32_t *rows) {
    uint32_t i = 0;
    for (uint32_t y = 0; y < height; y++) {
        while (i < runs->count && runs->runs[i].row < y)
            i++;
        rows[y] = i;
    }
    rows[height] = (uint32_t)runs->count;
}

size_t ee_contour(const ee_runs *runs, uint32_t height, uint32_t *rows, edgeecho_point *points, size_t capacity) {
    if (!runs->count)
        return 0;
    index_rows(runs, height, rows);
    const lookup m = {runs, rows, (int32_t)height};
    const edgeecho_point first = {runs->runs[0].first, runs->runs[0].row};
    int direction = turn(&m, first, WEST, -1); /* to the last point, from which the outline comes back */
    const edgeecho_point last = direction < DIRECTIONS ? beside(first, direction) : first;
    edgeecho_point at = first;
    size_t count = 0;
    for (;;) {
        if (count < capacity)
            points[count] = (edgeecho_point){at.x + runs->corner.col, at.y + runs->corner.row};
        count++;
        if (direction == DIRECTIONS) /* a single pixel */
            return count;
        direction = turn(&m, at, direction, 1);
        const edgeecho_point next = beside(at, direction);
        if (next.x == first.x && next.y == first.y && at.x == last.x && at.y == last.y)
            return count;
        at = next;
        direction = (direction + DIRECTIONS / 2) & (DIRECTIONS - 1);
    }
}
