/* Orientation of a view: Python's `edgeecho/preprocess/orientation.py`. */
#ifndef EE_ORIENTATION_H
#define EE_ORIENTATION_H

#include "edgeecho.h"

enum { EE_FLIPS = EDGEECHO_FLIP_CCWLR + 1 };

/* Mirror and turn a square image, `size` pixels a side, or undo that; `out` is another image. */
void ee_flip(const uint8_t *image, uint32_t size, uint32_t flip, uint8_t *out);
void ee_unflip(const uint8_t *image, uint32_t size, uint32_t flip, uint8_t *out);

/* Invert grey levels of rows of any stride, 255 minus the level; `out` is dense. */
void ee_invert(const uint8_t *pixels, size_t stride, uint32_t width, uint32_t height, uint8_t *out);

#endif
