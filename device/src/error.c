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

void ee_set_error(ee_error *error, const char *format, ...) {
    va_list arguments;
    if (!error)
        return;
    va_start(arguments, format);
    const int wanted = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (wanted >= EE_ERROR_BYTES)
        drop_cut_character(error->text, EE_ERROR_BYTES - 1);
    for (char *c = error->text; *c; c++) /* one line: an engine's text may have several */
        if ((unsigned char)*c < 32)
            *c = ' ';
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
