/* Outline of a mask in one piece: `outline` of Python's `edgeecho/measure/component.py`. */
#ifndef EE_CONTOUR_H
#define EE_CONTOUR_H

#include "edgeecho.h"
#include "measure/component.h"

/* Follow the edge of a mask (Suzuki and Abe 1985, border following, as in OpenCV) and return the number of its points,
 * of which the first `capacity` are written. `rows` has room for the index of the first run of each of `height` rows,
 * and the number of runs behind them. */
size_t ee_contour(const ee_runs *runs, uint32_t height, uint32_t *rows, edgeecho_point *points, size_t capacity);

#endif
