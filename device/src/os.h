/* What the library needs of an operating system: POSIX or Windows. */
#ifndef EE_OS_H
#define EE_OS_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of a clock that never goes back. */
uint64_t ee_now_ns(void);

/* Memory aligned to `alignment`, a power of two that divides `bytes`; NULL if there is none. */
void *ee_allocate(size_t alignment, size_t bytes);

/* Free memory of ee_allocate; NULL is allowed. */
void ee_free(void *memory);

/* Set a variable of the environment unless it is set; 0 if that fails. */
int ee_set_default(const char *variable, const char *value);

#endif
