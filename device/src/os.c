#define _POSIX_C_SOURCE 200809L
#include "os.h"

#include <stdlib.h>

#ifdef _WIN32

#include <malloc.h>
#include <windows.h>

uint64_t ee_now_ns(void) {
    const uint64_t ns_per_s = 1000000000;
    LARGE_INTEGER rate, now;
    QueryPerformanceFrequency(&rate);
    QueryPerformanceCounter(&now);
    const uint64_t ticks = (uint64_t)now.QuadPart, per_s = (uint64_t)rate.QuadPart;
    return ticks / per_s * ns_per_s + ticks % per_s * ns_per_s / per_s;
}

void *ee_allocate(size_t alignment, size_t bytes) {
    return _aligned_malloc(bytes, alignment);
}

void ee_free(void *memory) {
    _aligned_free(memory);
}

int ee_set_default(const char *variable, const char *value) {
    return getenv(variable) || _putenv_s(variable, value) == 0;
}

#else

#include <time.h>

uint64_t ee_now_ns(void) {
    const uint64_t ns_per_s = 1000000000;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * ns_per_s + (uint64_t)t.tv_nsec;
}

void *ee_allocate(size_t alignment, size_t bytes) {
    return aligned_alloc(alignment, bytes);
}

void ee_free(void *memory) {
    free(memory);
}

int ee_set_default(const char *variable, const char *value) {
    return getenv(variable) || setenv(variable, value, 0) == 0;
}

#endif
