#include "long_axis.h"

#include <math.h>

#include "constants.h"
#include "numbers.h"

static double dot(ee_vector a, ee_vector b) {
    return a.row * b.row + a.col * b.col;
}

static ee_vector minus(ee_vector a, ee_vector b) {
    return (ee_vector){a.row - b.row, a.col - b.col};
}

/* At length 1; straight down if it has none. */
static ee_vector unit(ee_vector v) {
    const double length = sqrt(dot(v, v));
    return length > 0 ? (ee_vector){v.row / length, v.col / length} : (ee_vector){1, 0};
}

static ee_vector place_of(ee_pixel pixel, ee_vector scale) {
    return (ee_vector){pixel.row * scale.row, pixel.col * scale.col};
}

/* Sum of c, c^2 and c^3 for c from 1 to `last`, or minus that from `last` + 1 to 0: differences sum any run. */
static int64_t sum_1(int64_t last) {
    return last * (last + 1) / 2;
}

static int64_t sum_2(int64_t last) {
    return last * (last + 1) * (2 * last + 1) / 6;
}

static int64_t sum_3(int64_t last) {
    return sum_1(last) * sum_1(last);
}

/* Mean products of the pixels' rows and columns about their centre. */
typedef struct {
    double rr, rc, cc, rrr, rrc, rcc, ccc;
} moments;

static moments moments_of(const ee_component *component) {
    const int64_t pixels = (int64_t)component->pixels;
    int64_t r = 0, c = 0;
    for (size_t i = 0; i < component->run_count; i++) {
        const ee_run *run = &component->runs[i];
        r += (int64_t)run->row * (run->last - run->first + 1);
        c += sum_1(run->last) - sum_1(run->first - 1);
    }
    /* about a whole pixel near the centre, so that the sums are exact */
    const int64_t row0 = r / pixels, col0 = c / pixels;
    int64_t rr = 0, rc = 0, cc = 0, rrr = 0, rrc = 0, rcc = 0, ccc = 0;
    r = c = 0;
    for (size_t i = 0; i < component->run_count; i++) {
        const ee_run *run = &component->runs[i];
        const int64_t row = run->row - row0, before = run->first - col0 - 1, last = run->last - col0;
        const int64_t count = last - before, sum = sum_1(last) - sum_1(before), squares = sum_2(last) - sum_2(before);
        r += row * count;
        c += sum;
        rr += row * row * count;
        rc += row * sum;
        cc += squares;
        rrr += row * row * row * count;
        rrc += row * row * sum;
        rcc += row * squares;
        ccc += sum_3(last) - sum_3(before);
    }
    const double n = (double)pixels, mr = (double)r / n, mc = (double)c / n;
    moments m = {(double)rr / n,  (double)rc / n,  (double)cc / n, (double)rrr / n,
                 (double)rrc / n, (double)rcc / n, (double)ccc / n};
    m.rrr += 2 * mr * mr * mr - 3 * mr * m.rr;
    m.rrc += 2 * mr * mr * mc - 2 * mr * m.rc - mc * m.rr;
    m.rcc += 2 * mr * mc * mc - 2 * mc * m.rc - mr * m.cc;
    m.ccc += 2 * mc * mc * mc - 3 * mc * m.cc;
    m.rr -= mr * mr;
    m.rc -= mr * mc;
    m.cc -= mc * mc;
    return m;
}

/* First guess of the direction from apex to base: the principal axis of the pixels, leaning to the vertical. */
static ee_vector first_direction(const ee_component *component, ee_vector scale) {
    const moments m = moments_of(component);
    const double a = m.rr * scale.row * scale.row, b = m.rc * scale.row * scale.col, d = m.cc * scale.col * scale.col;
    /* of [[a, b], [b, d]] */
    const double half = (a + EE_DEPTH_PRIOR * (a + d) / 2 - d) / 2, root = sqrt(half * half + b * b);
    ee_vector down = unit(half >= 0 ? (ee_vector){half + root, b} : (ee_vector){b, root - half});
    if (!(down.row >= 0))
        down = (ee_vector){-down.row, -down.col};
    /* positions along the axis are skewed towards the pointed apex */
    const double x = down.row * scale.row, y = down.col * scale.col;
    const double square = x * x * m.rr + 2 * x * y * m.rc + y * y * m.cc;
    const double cube = x * x * x * m.rrr + 3 * x * x * y * m.rrc + 3 * x * y * y * m.rcc + y * y * y * m.ccc;
    const double skew = cube / (square * sqrt(square));
    return skew > EE_MAX_SKEWNESS * down.row ? (ee_vector){-down.row, -down.col} : down;
}

/* What follows from one guess of the direction: the middle of the base, its width, the apex, and the axis through
 * both. */
typedef struct {
    ee_vector middle, apex, down;
    double width, reach;
} guess;

/* Square of how far a point is from the middle of the base; 0 if it does not lie opposite to it by `least`. */
static double square_of_reach(ee_vector point, ee_vector middle, ee_vector down, double least) {
    const ee_vector away = minus(point, middle);
    return dot(middle, down) - dot(point, down) > least ? dot(away, away) : 0;
}

static guess follow(const ee_component *component, ee_vector scale, ee_vector down) {
    const ee_vector across = {-down.col, down.row};
    double u_min = INFINITY, u_max = -INFINITY, v_min = INFINITY, v_max = -INFINITY;
    for (size_t i = 0; i < component->edge_count; i++) {
        const ee_vector point = place_of(component->edge[i], scale);
        const double u = dot(point, down), v = dot(point, across);
        u_min = ee_smaller(u_min, u);
        u_max = ee_larger(u_max, u);
        v_min = ee_smaller(v_min, v);
        v_max = ee_larger(v_max, v);
    }
    /* the corners of the base are farthest out along two diagonals, in a frame scaled to length and width */
    const double length = u_max - u_min, wide = ee_larger(v_max - v_min, EE_MIN_DIVISOR);
    double far_left = -INFINITY, far_right = -INFINITY;
    ee_vector left = {0, 0}, right = {0, 0};
    for (size_t i = 0; i < component->edge_count; i++) {
        const ee_vector point = place_of(component->edge[i], scale);
        const double u = dot(point, down) / length, v = dot(point, across) / wide;
        if (u - v > far_left) {
            far_left = u - v;
            left = point;
        }
        if (u + v > far_right) {
            far_right = u + v;
            right = point;
        }
    }
    guess g = {.middle = {(left.row + right.row) / 2, (left.col + right.col) / 2}};
    double most = 0;
    for (size_t i = 0; i < component->edge_count; i++) {
        const ee_vector point = place_of(component->edge[i], scale);
        most = ee_larger(most, square_of_reach(point, g.middle, down, EE_MIN_APEX_DEPTH * length));
    }
    /* a blunt apex is one row of pixels, all equally far: take its middle */
    g.reach = sqrt(most);
    const double near = g.reach - ee_smaller(scale.row, scale.col) / 2;
    int64_t rows = 0, cols = 0, count = 0;
    for (size_t i = 0; i < component->edge_count; i++) {
        const ee_pixel pixel = component->edge[i];
        if (sqrt(square_of_reach(place_of(pixel, scale), g.middle, down, EE_MIN_APEX_DEPTH * length)) > near) {
            rows += pixel.row;
            cols += pixel.col;
            count++;
        }
    }
    g.apex = (ee_vector){(double)rows / (double)count * scale.row, (double)cols / (double)count * scale.col};
    g.down = unit(minus(g.middle, g.apex));
    g.width = fabs(dot(minus(right, left), (ee_vector){-g.down.col, g.down.row}));
    return g;
}

/* How far the pixel lies along a direction that has `rank` others before it (Hoare's selection). Every index is
 * bounded by itself: were a compiler to round one comparison otherwise than another, a value would suffer, not memory.
 */
static double pick(ee_pixel *pixels, size_t count, size_t rank, ee_vector scale, ee_vector down) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = dot(place_of(pixels[low + (high - low) / 2], scale), down);
        size_t i = low, j = high;
        for (;;) {
            while (i < high && dot(place_of(pixels[i], scale), down) < pivot)
                i++;
            while (j > low && dot(place_of(pixels[j], scale), down) > pivot)
                j--;
            if (i >= j)
                break;
            const ee_pixel swap = pixels[i];
            pixels[i++] = pixels[j];
            pixels[j--] = swap;
        }
        j = j < high ? j : high - 1;
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return dot(place_of(pixels[rank], scale), down);
}

/* Where the axis leaves the cavity, along it: the middle third of the base decides, so one stray pixel does not. */
static double find_end(ee_component *component, ee_vector scale, const guess *g, double extent) {
    const ee_vector across = {-g->down.col, g->down.row};
    const double most = ee_larger(g->width / EE_BASE_WIDTH_DIVISOR, EE_MIN_BASE_HALF_WIDTH_PX * extent);
    const double deep = EE_MIN_BASAL_DEPTH * dot(minus(g->middle, g->apex), g->down);
    size_t basal = 0;
    for (size_t i = 0; i < component->edge_count; i++) {
        const ee_pixel pixel = component->edge[i];
        const ee_vector off = minus(place_of(pixel, scale), g->apex);
        if (fabs(dot(off, across)) < most && dot(off, g->down) > deep) {
            component->edge[i] = component->edge[basal];
            component->edge[basal++] = pixel;
        }
    }
    if (basal == 0)
        return dot(g->middle, g->down);
    const double upper = pick(component->edge, basal, basal / 2, scale, g->down);
    if (basal % 2)
        return upper + extent / 2;
    return (pick(component->edge, basal, basal / 2 - 1, scale, g->down) + upper) / 2 + extent / 2;
}

bool ee_find_long_axis(ee_component *component, ee_vector scale, ee_long_axis *axis) {
    if (component->pixels < EE_MIN_COMPONENT_PX)
        return false;
    ee_edge_pixels(component);
    guess g = follow(component, scale, first_direction(component, scale));
    g = follow(component, scale, g.down);
    const ee_vector step = {g.down.row * scale.row, g.down.col * scale.col};
    const double extent = sqrt(dot(step, step));
    axis->down = g.down;
    axis->start = dot(g.middle, g.down) - g.reach - extent / 4;
    axis->length = find_end(component, scale, &g, extent) - axis->start;
    axis->extent = extent;
    return axis->length > 0;
}
