#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whether a byte of UTF-8 continues a character. */
static int is_continuation(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Remove a character of several bytes that was cut at the end of a text. */
static void drop_cut_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && is_continuation(text[start - 1]))
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0)
        text[start - 1] = 0;
}

static void write_text(ee_error *error, const char *format, va_list arguments) {
    if (vsnprintf(error->text, sizeof error->text, format, arguments) >= EE_ERROR_BYTES)
        drop_cut_character(error->text, EE_ERROR_BYTES - 1);
    for (char *c = error->text; *c; c++) /* one line: an engine's text may have several */
        if ((unsigned char)*c < 32)
            *c = ' ';
}

void ee_set_error(ee_error *error, const char *format, ...) {
    va_list arguments;
    if (!error)
        return;
    va_start(arguments, format);
    write_text(error, format, arguments);
    va_end(arguments);
}

edgeecho_status ee_refuse(ee_error *error, const ee_log *log, edgeecho_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_text(error, format, arguments);
    va_end(arguments);
    ee_log_error(log, error);
    return status;
}

void ee_log_error(const ee_log *log, const ee_error *error) {
    if (log->write)
        log->write(log->context, EDGEECHO_LOG_ERROR, error->text);
}

void ee_copy_error(const ee_error *error, char *text, size_t size) {
    if (!text || !size)
        return;
    const size_t length = strlen(error->text), kept = length < size ? length : size - 1;
    memcpy(text, error->text, kept);
    text[kept] = 0;
    if (kept < length)
        drop_cut_character(text, kept);
}

void ee_set_foreign_error(ee_error *error, const char *library, const char *text) {
    const size_t room = EE_ERROR_BYTES - strlen(library) - sizeof ":  ... ";
    size_t end = strlen(text);
    while (end > 0 && (unsigned char)text[end - 1] <= ' ')
        end--;
    if (end <= room) {
        ee_set_error(error, "%s: %.*s", library, (int)end, text);
        return;
    }
    size_t head = room / 3;
    const char *tail = text + end - (room - head);
    while (head > 0 && is_continuation(text[head])) /* no character is cut */
        head--;
    while (is_continuation(*tail))
        tail++;
    ee_set_error(error, "%s: %.*s ... %.*s", library, (int)head, text, (int)(text + end - tail), tail);
}
