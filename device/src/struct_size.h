/* Structs that grow at their end: what a program compiled against an older header knows of them. */
#ifndef EE_STRUCT_SIZE_H
#define EE_STRUCT_SIZE_H

#include <string.h>

#include "edgeecho.h"

/* Sizes in the version that had the struct first, 0.1.0 in most cases: the first field that came later follows. A field
 * must not be put into padding at the end of a struct: an older program has the same size and does not set it. */
#define EE_FIRST_OPEN_OPTIONS offsetof(edgeecho_open_options, onnxruntime_api)
#define EE_FIRST_INFO sizeof(edgeecho_info)
#define EE_FIRST_FRAME offsetof(edgeecho_frame, time_s)
#define EE_FIRST_STREAM_OPTIONS offsetof(edgeecho_stream_options, search)
#define EE_FIRST_RESULT offsetof(edgeecho_result, confidence)
#define EE_FIRST_BEAT offsetof(edgeecho_beat, reasons)
#define EE_FIRST_SELFTEST_RESULT sizeof(edgeecho_selftest_result)
#define EE_FIRST_VERSIONS sizeof(edgeecho_versions)

/* Whether a struct of this size is known: from the first version's size to the present one's. As each struct begins with
 * a size_t, its size is a multiple of that: any other number is no size of a struct, and would cut a pointer. */
static inline int ee_is_size_known(size_t struct_size, size_t first, size_t present) {
    return struct_size >= first && struct_size <= present && struct_size % sizeof struct_size == 0;
}

/* Sentence on a size that is not known: the struct's name, its size, and the first and the present size. */
#define EE_UNKNOWN_SIZE "struct_size of the %s is %zu, this library knows sizes of whole fields from %zu to %zu"

/* Copy the fields that the caller's struct has; its size, which stands first, stays. */
static inline void ee_copy_out(void *out, size_t struct_size, const void *found) {
    memcpy((char *)out + sizeof struct_size, (const char *)found + sizeof struct_size,
           struct_size - sizeof struct_size);
}

#endif
