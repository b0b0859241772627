/* Shared libraries that are loaded while a program runs: POSIX or Windows. */
#ifndef EE_OS_LIBRARY_H
#define EE_OS_LIBRARY_H

#include "error.h"

/* File name of a shared library whose name and major version are these. */
#ifdef _WIN32
#define EE_LIBRARY_FILE(name, major) name ".dll"
#elif defined(__APPLE__)
#define EE_LIBRARY_FILE(name, major) "lib" name ".dylib"
#else
#define EE_LIBRARY_FILE(name, major) "lib" name ".so." major
#endif

/* A function of a library, to be cast to its own type. */
typedef void (*ee_function)(void);

/* Find a function of a library that the program has loaded for all to see; NULL if it has none. */
ee_function ee_find_loaded(const char *file, const char *name);

/*
 * Load a library, for as long as the process runs, and find a function of it.  `path` is UTF-8; without a folder the
 * system searches it.  NULL, with the system's reason in `error`, if there is none.
 */
ee_function ee_load(const char *path, const char *name, ee_error *error);

/* Load a library from the folder of the shared library or program that contains this code; NULL if it is not there. */
ee_function ee_load_beside(const char *file, const char *name);

#endif
