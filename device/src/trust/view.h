/* Region and orientation of a cine, and how sure they are: `View` of Python's `view_search.py`. */
#ifndef EE_VIEW_H
#define EE_VIEW_H

#include "../fan.h"
#include "../orientation.h"
#include "../region.h"

typedef struct ee_view {
    ee_roi roi;
    uint32_t flip; /* EDGEECHO_FLIP_... */
    int is_inverted;
    int has_fan; /* the region is around a fan: */
    ee_fan fan;
    double confidence; /* mean of the looks in this region and orientation, 0 to 1 */
    uint32_t rival;    /* flip of the next best orientation */
    int is_clear;      /* whether the margin over that is large enough for the number of frames that were sampled */
    int flips_agree;   /* both orientations that are possible give about the same EF, in a cine seen as a whole */
    int shows_apex;    /* the fan shows on which side its apex lies, or the orientation is given */
    uint32_t panels;   /* other parts of the picture in which the network is confident to see a ventricle */
} ee_view;

/* A view that is given. */
ee_view ee_given_view(const ee_roi *roi, uint32_t flip);

/* Set the pixels of the network's picture, `size` a side, that lie in the hull of the fan, not turned, to 1, the others
 * to 0. `cells` is the number of rows and columns of the grid. */
void ee_view_inside(const ee_view *view, const ee_shape *shape, uint32_t cells, uint32_t size, uint8_t *inside);

#endif
