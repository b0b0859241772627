/* Options of a stream, as a program gives them. */
#ifndef EE_STREAM_OPTIONS_H
#define EE_STREAM_OPTIONS_H

#include "error.h"

/* Read the options, as many as the program knows; 0, and a sentence in `error`, if one is out of bounds. */
int ee_read_stream_options(const edgeecho_stream_options *given, edgeecho_stream_options *o, ee_error *error);

#endif
