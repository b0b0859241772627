/* A library is never unloaded: its threads and static data may outlive the last model. */
#define _GNU_SOURCE /* dladdr */
#include "os_library.h"

#include <stdio.h>
#include <string.h>

/* Room for a path, on the stack. */
#ifdef _WIN32
enum { PATH_BYTES = 768 }; /* that of Windows is 260, unless it is told otherwise */
#else
enum { PATH_BYTES = 4096 };
#endif

/* Replace the file name at the end of a path; 0 if the path has no folder or becomes too long. */
static int replace_file(char *path, size_t size, const char *file) {
    char *slash = strrchr(path, '/'), *other = strrchr(path, '\\');
    if (other && (!slash || other > slash))
        slash = other;
    if (!slash || (size_t)(slash + 1 - path) + strlen(file) + 1 > size)
        return 0;
    strcpy(slash + 1, file);
    return 1;
}

#ifdef _WIN32

#include <windows.h>

static ee_function function_of(HMODULE library, const char *name) {
    return library ? (ee_function)GetProcAddress(library, name) : NULL;
}

ee_function ee_find_loaded(const char *file, const char *name) {
    return function_of(GetModuleHandleA(file), name);
}

static HMODULE open_library(const char *path) {
    wchar_t wide[PATH_BYTES];
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_BYTES))
        return NULL;
    /* Libraries that it needs are searched in its own folder too, which needs a path with a folder. */
    return LoadLibraryExW(wide, NULL, strpbrk(path, "/\\") ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
}

ee_function ee_load(const char *path, const char *name, ee_error *error) {
    const ee_function found = function_of(open_library(path), name);
    if (!found)
        ee_set_error(error, "%s: Windows error %lu", path, (unsigned long)GetLastError());
    return found;
}

ee_function ee_load_beside(const char *file, const char *name) {
    static const char here = 0;
    const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    HMODULE own;
    wchar_t wide[PATH_BYTES];
    char path[PATH_BYTES];
    if (!GetModuleHandleExA(flags, &here, &own))
        return NULL;
    const DWORD length = GetModuleFileNameW(own, wide, PATH_BYTES);
    if (!length || length >= PATH_BYTES || !WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, sizeof path, NULL, NULL) ||
        !replace_file(path, sizeof path, file))
        return NULL;
    return function_of(open_library(path), name);
}

#else

#include <dlfcn.h>

/* ISO C knows no conversion of an object's address to a function's; POSIX wants this one to work. */
static ee_function function_of(void *library, const char *name) {
    void *address = library ? dlsym(library, name) : NULL;
    ee_function found = NULL;
    if (address)
        memcpy(&found, &address, sizeof found);
    return found;
}

ee_function ee_find_loaded(const char *file, const char *name) {
    (void)file;
    return function_of(dlopen(NULL, RTLD_NOW), name);
}

ee_function ee_load(const char *path, const char *name, ee_error *error) {
    const ee_function found = function_of(dlopen(path, RTLD_NOW | RTLD_LOCAL), name);
    const char *reason = found ? NULL : dlerror();
    if (!found)
        ee_set_error(error, "%s", reason ? reason : path);
    return found;
}

ee_function ee_load_beside(const char *file, const char *name) {
    static const char here = 0;
    Dl_info own;
    char path[PATH_BYTES];
    if (!dladdr(&here, &own) || !own.dli_fname || strlen(own.dli_fname) >= sizeof path)
        return NULL;
    strcpy(path, own.dli_fname);
    return replace_file(path, sizeof path, file) ? function_of(dlopen(path, RTLD_NOW | RTLD_LOCAL), name) : NULL;
}

#endif
