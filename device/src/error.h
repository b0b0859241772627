/* What went wrong, in a sentence, and where the messages of an engine go. */
#ifndef EE_ERROR_H
#define EE_ERROR_H

#include <stdint.h>

enum { EE_ERROR_BYTES = 512 };

typedef struct ee_error {
    char text[EE_ERROR_BYTES]; /* UTF-8, ends in a zero; empty if nothing went wrong */
} ee_error;

typedef struct ee_log {
    void (*write)(void *context, int32_t level, const char *text); /* NULL: messages are dropped */
    void *context;
} ee_log;

/* Levels of a message: those of ONNX Runtime. */
enum { EE_LOG_INFO = 1, EE_LOG_WARNING = 2, EE_LOG_ERROR = 3, EE_LOG_FATAL = 4 };

#if defined(__GNUC__)
#define EE_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#else
#define EE_PRINTF(format_at, arguments_at)
#endif

/* Write a text into an error; one that is too long is cut. `error` may be NULL. */
void ee_set_error(ee_error *error, const char *format, ...) EE_PRINTF(2, 3);

/* Write the text of another library behind its name; of a long one the middle is left out, as the end has the reason. */
void ee_set_foreign_error(ee_error *error, const char *library, const char *text);

#endif
