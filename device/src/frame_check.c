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

/* Whether the network can see the region of a cine's first frame. */
static int is_region_valid(const edgeecho_stream *s, const edgeecho_frame *f) {
    const ee_shape shape = ee_shape_of(s, f);
    const ee_roi given = ee_region_of(f), whole = ee_whole_frame(&shape);
    return ee_searches_region(s) ? ee_is_in_proportion(&whole, f->width, f->height)
                                 : ee_is_region_valid(&given, f->width, f->height);
}

edgeecho_status ee_check_frame(const edgeecho_stream *s, const edgeecho_frame *f, int is_first) {
    const edgeecho_frame *o = &s->shape;
    if (f->width < EE_MIN_SIDE || f->height < EE_MIN_SIDE || f->width > s->options.max_width ||
        f->height > s->options.max_height || (!is_first && (f->width != o->width || f->height != o->height)))
        return EDGEECHO_E_SIZE;
    if (f->stride_bytes < f->width || f->stride_bytes > PTRDIFF_MAX / f->height)
        return EDGEECHO_E_ARGUMENT;
    if (is_first)
        return is_region_valid(s, f) ? EDGEECHO_OK : EDGEECHO_E_REGION;
    return f->roi_x == o->roi_x && f->roi_y == o->roi_y && f->roi_width == o->roi_width &&
                   f->roi_height == o->roi_height
               ? EDGEECHO_OK
               : EDGEECHO_E_REGION;
}
