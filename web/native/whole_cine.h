/*
 * View of a cine whose frames are all there: `find_view` of Python's `edgeecho/runtime/cine_run.py`.
 *
 * Begin; add the frames of `ew_next_added`; then look at those of `ew_next_sampled`; end.  The frames that are pushed
 * afterwards, from the first on, are seen in the view that was found.
 */
#ifndef EW_WHOLE_CINE_H
#define EW_WHOLE_CINE_H

#include "stream.h"

typedef struct ew_search {
    edgeecho_stream *stream; /* made with a search; without frames */
    uint32_t frames;         /* of the cine */
    uint32_t added, place;   /* next frame to add; next of the places to sample */
} ew_search;

/* Begin to search in a cine of `frames` frames of this size. */
edgeecho_status ew_search_begin(ew_search *search, edgeecho_stream *stream, uint32_t width, uint32_t height,
                                uint32_t frames);

/* Index of the next frame to add to the pictures in which fans are searched; `frames` or more if there is none. */
uint32_t ew_next_added(const ew_search *search);

/* Add that frame. */
void ew_add(ew_search *search, const uint8_t *pixels);

/* Index of the next frame to look at; `frames` if the view is clear, or none is left. */
uint32_t ew_next_sampled(const ew_search *search);

/* Look at that frame.  EDGEECHO_E_REGION if every frame is black. */
edgeecho_status ew_sample(ew_search *search, const uint8_t *pixels);

/* Keep the view for the frames that will be pushed. Whether it is clear how the picture is turned. */
int ew_search_end(ew_search *search);

/* Give another stream, made as the first and without frames, the view of the first in the next best orientation. */
void ew_take_rival(edgeecho_stream *other, const edgeecho_stream *first);

/* The stream whose results hold, once frames were pushed and flushed: the more confident one. `other` is the same cine in
 * the next best orientation, NULL where that was not needed. */
edgeecho_stream *ew_best(edgeecho_stream *first, edgeecho_stream *other);

/* Judge the whole cine: CinePredictor._run of Python's `edgeecho/runtime/cine_predictor.py`. The verdict is that of the
 * best stream. `covered` is the part of its masks over which there is colour, 0 to 1. */
void ew_judge_cine(edgeecho_stream *first, edgeecho_stream *other, double covered);

#endif
