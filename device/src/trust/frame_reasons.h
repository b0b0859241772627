/* What is doubtful in one frame: `frame_reasons` of Python's `mask_score.py`. */
#ifndef EE_FRAME_REASONS_H
#define EE_FRAME_REASONS_H

#include "mask_score.h"

/* Bits, 1 << ee_reason, of a frame with this score, whose picture is the same as that before or not. */
uint64_t ee_frame_reasons(const ee_mask_score *score, int is_frozen);

#endif
