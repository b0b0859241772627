/* What a frame must be, for a stream to take it. */
#ifndef EE_FRAME_CHECK_H
#define EE_FRAME_CHECK_H

#include "stream.h"

/* Whether a stream searches the region, and frames give none. */
int ee_searches_region(const edgeecho_stream *stream);

/* Region and shape of a frame. */
ee_roi ee_region_of(const edgeecho_frame *frame);
ee_shape ee_shape_of(const edgeecho_stream *stream, const edgeecho_frame *frame);

/* Check size, region, stride and time, with those of the first frame of the cine if this is another one. */
edgeecho_status ee_check_frame(const edgeecho_stream *stream, const edgeecho_frame *frame, int is_first);

#endif
