/* View of a live stream: at first the whole frame, then what one sampled frame shows, and a fixed view once it is sure.
 * Python's `live_view.py`. */
#ifndef EE_LIVE_VIEW_H
#define EE_LIVE_VIEW_H

#include "view_search.h"

typedef struct ee_live_view {
    ee_view_search *search; /* NULL: region and orientation are given */
    uint8_t *inverted;      /* room for a frame with inverted grey levels; NULL if orientations are not searched */
    ee_view view;           /* of the frames to come */
    int is_found;           /* `view` was found in the whole next cine beforehand, and stays */
    int is_fixed;           /* whether it stays until the stream is reset */
    int is_sampling;
    double fps;
    int64_t wait_frames; /* until the next sample begins */
    uint64_t samples;    /* since the stream began */
} ee_live_view;

/* Begin a cine with a view that is given, or the one to begin the search with. `fps` is 0 if unknown. */
void ee_live_view_init(ee_live_view *live, const ee_view *view, double fps);

/* Take the next frame, before the network runs on it, and search a little. OK: the network must begin anew, the frame is
 * the first one to be seen in another view. MORE: it must not. */
edgeecho_status ee_live_view_see(ee_live_view *live, const uint8_t *pixels, size_t stride);

#endif
