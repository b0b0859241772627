/* A stream graph in ONNX Runtime: the one file that uses its interface. */
#ifndef EE_ENGINE_H
#define EE_ENGINE_H

#include "device_file.h"

typedef struct ee_engine ee_engine;   /* a loaded graph; any number of threads may run it */
typedef struct ee_binding ee_binding; /* the graph's inputs and outputs in the memory of one stream */

edgeecho_status ee_engine_open(const ee_spec *spec, const uint8_t *graph, size_t size, uint32_t threads,
                               ee_engine **engine);
void ee_engine_close(ee_engine *engine);
const char *ee_engine_version(void);

/* `frame` and `prob` have size_px * size_px bytes; each of the two states has state_bytes, tensor after tensor. */
edgeecho_status ee_binding_create(const ee_engine *engine, const ee_spec *spec, uint8_t *frame, uint8_t *prob,
                                  uint8_t *states[2], ee_binding **binding);
void ee_binding_destroy(ee_binding *binding);

/* Run the graph on the frame and state `from` (0 or 1); the other state becomes the next one. */
edgeecho_status ee_engine_run(const ee_engine *engine, ee_binding *binding, int from);

/* Size of a tensor in a state, so that the next one is aligned. */
size_t ee_aligned(size_t bytes);

#endif
