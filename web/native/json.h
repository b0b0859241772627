/* Results of the library as JSON, in a text that stays until the next call; numbers that are not known are null. */
#ifndef EW_JSON_H
#define EW_JSON_H

#include "edgeecho.h"

const char *ew_model_json(const edgeecho_model *model);

/* NULL before the first answer. */
const char *ew_result_json(const edgeecho_stream *stream);

/* NULL if there is no beat of this index. */
const char *ew_beat_json(const edgeecho_stream *stream, uint32_t index);

#endif
