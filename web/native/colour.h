/* Strong colour in the frames of a cine, and their grey levels: Python's `edgeecho/cine/grey.py`. */
#ifndef EW_COLOUR_H
#define EW_COLOUR_H

#include <stddef.h>
#include <stdint.h>

#include "limits.h"

typedef struct ew_colours {
    size_t pixels;         /* of a frame */
    uint32_t step, frames; /* every so manieth frame is sampled; frames so far */
    uint32_t samples;
    uint8_t *is_coloured[EE_MAX_COLOUR_FRAMES + 1]; /* of each sample and pixel, 0 or 1 */
} ew_colours;

/* Turn pixels of 4 bytes (red, green, blue, any) into grey ones. */
void ew_to_grey(const uint8_t *rgba, size_t pixels, uint8_t *grey);

/* Begin a cine of frames with so many pixels, or forget the one before with 0. */
void ew_colours_reset(ew_colours *colours, size_t pixels);

/* Take the next frame; 0 if there is no memory for it. */
int ew_colours_add(ew_colours *colours, const uint8_t *rgba);

/* Part of the pixels of a mask, 0 or 1 each, that are strongly coloured in a tenth of the frames or more. */
double ew_covered(const ew_colours *colours, const uint8_t *mask);

#endif
