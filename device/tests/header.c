#include <edgeecho.h>

/* A translation unit needs something of its own. */
uint32_t header_version(void);
uint32_t header_version(void) {
    return edgeecho_version();
}
