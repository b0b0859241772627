#include "edgeecho.h"
#include "reason_texts.h"

static const char *find(uint32_t reason, int part) {
    return reason < sizeof EE_REASON_TEXTS / sizeof *EE_REASON_TEXTS ? EE_REASON_TEXTS[reason][part] : NULL;
}

const char *edgeecho_reason_code(uint32_t reason) {
    const char *code = find(reason, 0);
    return code ? code : "unknown";
}

const char *edgeecho_reason_text(uint32_t reason) {
    const char *text = find(reason, 1);
    return text ? text : "no reason of this library";
}
