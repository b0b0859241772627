/* The memory of a stream: one block, in which its buffers lie one behind the other. */
#ifndef EE_STREAM_MEMORY_H
#define EE_STREAM_MEMORY_H

#include "stream.h"

/* Lay out a stream, whose model and options are set, in a block that begins with it, and return the number of bytes
 * that it needs. Without a block, NULL, they are only counted. The buffers of both networks come first, where no
 * option but `search` moves them: their bindings stay valid. */
size_t ee_lay_out(edgeecho_stream *stream, uint8_t *start);

#endif
