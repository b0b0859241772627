#include "frame_check.h"

ee_roi ee_region_of(const edgeecho_frame *f) {
    return (ee_roi){f->roi_x, f->roi_y, f->roi_width, f->roi_height};
}

int ee_searches_region(const edgeecho_stream *s) {
    return (s->options.search & EDGEECHO_SEARCH_REGION) != 0;
}

ee_shape ee_shape_of(const edgeecho_stream *s, const edgeecho_frame *f) {
    const int has_spacing = s->options.row_mm > 0;
    return (ee_shape){f->width, f->height, has_spacing ? s->options.row_mm : 1, has_spacing ? s->options.column_mm : 1};
}

/* Check the region of a cine's first frame. */
static edgeecho_status check_region(const edgeecho_stream *s, const edgeecho_frame *f) {
    const ee_shape shape = ee_shape_of(s, f);
    const ee_roi given = ee_region_of(f), whole = ee_whole_frame(&shape);
    if (ee_searches_region(s))
        return ee_is_in_proportion(&whole, f->width, f->height)
                   ? EDGEECHO_OK
                   : EE_REFUSE(s, EDGEECHO_E_REGION,
                               "pixels of %g x %g mm: the square around a frame is %d times its side",
                               s->options.row_mm, s->options.column_mm, EE_MAX_REGION);
    if (!ee_is_in_proportion(&given, f->width, f->height))
        return EE_REFUSE(s, EDGEECHO_E_REGION,
                         "a region of %ux%u pixels: each side must be 1 to %d times the frame's %u",
                         (unsigned)f->roi_width, (unsigned)f->roi_height, EE_MAX_REGION,
                         (unsigned)(f->width > f->height ? f->width : f->height));
    return ee_is_region_valid(&given, f->width, f->height)
               ? EDGEECHO_OK
               : EE_REFUSE(s, EDGEECHO_E_REGION,
                           "the region of %ux%u pixels at %d,%d shows too little of a frame of %ux%u",
                           (unsigned)f->roi_width, (unsigned)f->roi_height, (int)f->roi_x, (int)f->roi_y,
                           (unsigned)f->width, (unsigned)f->height);
}

/* Check size and region of a frame that is not the first of its cine. */
static edgeecho_status check_same(const edgeecho_stream *s, const edgeecho_frame *f) {
    const edgeecho_frame *o = &s->shape;
    if (f->width != o->width || f->height != o->height)
        return EE_REFUSE(s, EDGEECHO_E_SIZE, "a frame of %ux%u pixels, the cine began with %ux%u: call edgeecho_reset",
                         (unsigned)f->width, (unsigned)f->height, (unsigned)o->width, (unsigned)o->height);
    if (f->roi_x != o->roi_x || f->roi_y != o->roi_y || f->roi_width != o->roi_width || f->roi_height != o->roi_height)
        return EE_REFUSE(s, EDGEECHO_E_REGION,
                         "another region than that of the cine's first frame: call edgeecho_reset");
    return EDGEECHO_OK;
}

edgeecho_status ee_check_frame(const edgeecho_stream *s, const edgeecho_frame *f, int is_first) {
    static const ee_frame_clock new_clock = {0};
    const edgeecho_stream_options *o = &s->options;
    ee_error error;
    if (f->width < EE_MIN_SIDE || f->height < EE_MIN_SIDE || f->width > o->max_width || f->height > o->max_height)
        return EE_REFUSE(s, EDGEECHO_E_SIZE, "a frame of %ux%u pixels, this stream takes %dx%d to %ux%u",
                         (unsigned)f->width, (unsigned)f->height, EE_MIN_SIDE, EE_MIN_SIDE, (unsigned)o->max_width,
                         (unsigned)o->max_height);
    const edgeecho_status status = is_first ? check_region(s, f) : check_same(s, f);
    if (status != EDGEECHO_OK)
        return status;
    if (f->stride_bytes < f->width || f->stride_bytes > PTRDIFF_MAX / f->height)
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "stride_bytes is %zu for rows of %u pixels", f->stride_bytes,
                         (unsigned)f->width);
    if (!ee_frame_clock_allows(is_first ? &new_clock : &s->clock, f->time_s, &error))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "%s", error.text);
    return EDGEECHO_OK;
}
