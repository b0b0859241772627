#include "stream_options.h"

#include "limits.h"
#include "measure/beat_meter.h"
#include "orientation.h"
#include "struct_size.h"

static int is_side(uint32_t pixels) {
    return pixels >= EE_MIN_SIDE && pixels <= EE_MAX_SIDE;
}

static int is_spacing(double mm) {
    return mm >= EE_MIN_SPACING_MM && mm <= EE_MAX_SPACING_MM;
}

/* Write what is wrong with the numbers; 0 if nothing is. */
static int find_wrong_number(const edgeecho_stream_options *o, ee_error *error) {
    if (!is_side(o->max_width) || !is_side(o->max_height))
        ee_set_error(error, "frames of at most %ux%u pixels: each side must be %d to %u", (unsigned)o->max_width,
                     (unsigned)o->max_height, EE_MIN_SIDE, EE_MAX_SIDE);
    else if (!(o->fps >= 0 && o->fps <= EE_MAX_FPS))
        ee_set_error(error, "fps is %g: it must be 0 (unknown) to %g", o->fps, EE_MAX_FPS);
    else if (!(o->row_mm == 0 && o->column_mm == 0) && !(is_spacing(o->row_mm) && is_spacing(o->column_mm)))
        ee_set_error(error, "pixels of %g x %g mm: both must be %g to %g, or both 0 (unknown)", o->row_mm, o->column_mm,
                     EE_MIN_SPACING_MM, EE_MAX_SPACING_MM);
    else
        return 0;
    return 1;
}

/* Write what is wrong with search and flip; 0 if nothing is. */
static int find_wrong_view(const edgeecho_stream_options *o, ee_error *error) {
    const uint32_t all = EDGEECHO_SEARCH_REGION | EDGEECHO_SEARCH_ORIENTATION;
    if (o->search > all)
        ee_set_error(error, "search is %u: bits of EDGEECHO_SEARCH_... are at most %u", (unsigned)o->search,
                     (unsigned)all);
    else if (o->flip >= EE_FLIPS)
        ee_set_error(error, "flip is %u: EDGEECHO_FLIP_... are at most %d", (unsigned)o->flip, EE_FLIPS - 1);
    else if (o->flip != EDGEECHO_FLIP_NONE && (o->search & EDGEECHO_SEARCH_ORIENTATION))
        ee_set_error(error, "flip is %u, and the orientation is searched: give one of the two", (unsigned)o->flip);
    else
        return 0;
    return 1;
}

int ee_read_stream_options(const edgeecho_stream_options *given, edgeecho_stream_options *o, ee_error *error) {
    *o = (edgeecho_stream_options){.struct_size = sizeof *o};
    if (!given) {
        ee_set_error(error, "no stream options were given: NULL");
        return 0;
    }
    if (!ee_is_size_known(given->struct_size, EE_FIRST_STREAM_OPTIONS, sizeof *o)) {
        ee_set_error(error, EE_UNKNOWN_SIZE, "stream options", given->struct_size, EE_FIRST_STREAM_OPTIONS, sizeof *o);
        return 0;
    }
    ee_copy_out(o, given->struct_size, given);
    return !find_wrong_number(o, error) && !find_wrong_view(o, error);
}
