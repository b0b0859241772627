/* What went wrong, in a sentence, and where the messages of an engine go. */
#ifndef EE_ERROR_H
#define EE_ERROR_H

#include "edgeecho.h"

enum { EE_ERROR_BYTES = 512 };

typedef struct ee_error {
    char text[EE_ERROR_BYTES]; /* UTF-8, ends in a zero; empty if nothing went wrong */
} ee_error;

typedef struct ee_log {
    edgeecho_log *write; /* NULL: messages are dropped */
    void *context;
} ee_log;

#if defined(__GNUC__)
#define EE_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#else
#define EE_PRINTF(format_at, arguments_at)
#endif

/* Write a text into an error; one that is too long is cut. `error` may be NULL. */
void ee_set_error(ee_error *error, const char *format, ...) EE_PRINTF(2, 3);

/* Write why a call is refused, and log it; returns `status`. */
edgeecho_status ee_refuse(ee_error *error, const ee_log *log, edgeecho_status status, const char *format, ...)
    EE_PRINTF(4, 5);

/* Log an error. */
void ee_log_error(const ee_log *log, const ee_error *error);

/* Copy an error to a text of `size` bytes, cut to them. NULL or 0: there is no text. */
void ee_copy_error(const ee_error *error, char *text, size_t size);

/* Write the text of another library behind its name; of a long one the middle is left out, as the end has the reason. */
void ee_set_foreign_error(ee_error *error, const char *library, const char *text);

#endif
