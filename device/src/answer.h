/* From the answer of the network to a mask, figures and a verdict: `_result` of Python's `streaming.py`. */
#ifndef EE_ANSWER_H
#define EE_ANSWER_H

#include "stream.h"

/* How frames are seen in a view. */
ee_seen ee_seen_in(const ee_view *view);

/* Judge the beats so far. */
void ee_judge_stream(edgeecho_stream *stream);

/* Measure an answer of the network, to a frame that was seen so, at the frame's pixels. `is_before`: in an earlier
 * view. */
void ee_take_answer(edgeecho_stream *stream, const uint8_t *prob, const ee_seen *seen, int is_before);

#endif
