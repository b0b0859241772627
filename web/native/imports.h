/* Functions of JavaScript that the engine calls: web/native/imports.js. */
#ifndef EW_IMPORTS_H
#define EW_IMPORTS_H

#include <stddef.h>
#include <stdint.h>

/* Make a session of a graph whose inputs and outputs must be those of `contract`, a JSON list.  Returns its number and
 * writes name and version of the engine to `engine`; or returns -1 and writes the reason to `failure`. */
int ew_session_open(const uint8_t *graph, size_t size, const char *contract, char *engine, size_t engine_size,
                    char *failure, size_t failure_size);

/* Run a session once, from and to these buffers, in the order of the contract.  0, or -1 with the reason. */
int ew_session_run(int session, uint8_t *const *inputs, uint8_t *const *outputs, char *failure, size_t failure_size);

/* Release a session. */
void ew_session_close(int session);

#endif
