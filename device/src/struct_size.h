/* Structs that grow at their end: what a program compiled against an older header knows of them. */
#ifndef EE_STRUCT_SIZE_H
#define EE_STRUCT_SIZE_H

#include <string.h>

#include "edgeecho.h"

/* Sizes in version 0.1.0: the first field that came later follows. */
#define EE_FIRST_OPEN_OPTIONS offsetof(edgeecho_open_options, onnxruntime_api)
#define EE_FIRST_STREAM_OPTIONS offsetof(edgeecho_stream_options, search)
#define EE_FIRST_RESULT offsetof(edgeecho_result, confidence)
#define EE_FIRST_BEAT offsetof(edgeecho_beat, reasons)

/* Whether a struct of this size is known: from the first version's size to the present one's. */
static inline int ee_is_size_known(size_t struct_size, size_t first, size_t present) {
    return struct_size >= first && struct_size <= present;
}

/* Copy the fields that the caller's struct has; its size, which stands first, stays. */
static inline void ee_copy_out(void *out, size_t struct_size, const void *found) {
    memcpy((char *)out + sizeof struct_size, (const char *)found + sizeof struct_size,
           struct_size - sizeof struct_size);
}

#endif
