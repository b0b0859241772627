#include "error.h"

#include <stdarg.h>
#include <stdio.h>

/* Remove a character of several bytes that was cut at the end of a text. */
static void drop_cut_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
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
