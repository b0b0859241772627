/*
 * Count heap allocations, and let them fail, in a process each time.
 *
 *     heap count MODEL           ours must be none per frame; ONNX Runtime's are printed
 *     heap ours MODEL            each of ours in open, create and self-test: an error status every time
 *     heap theirs MODEL [STEP]   every STEP-th of all, once ONNX Runtime is set up: what becomes of it is counted
 *
 * The linker hands this file our library's calls (--wrap), and as the program's own malloc it sees all others.
 */
#define _GNU_SOURCE
#include <edgeecho.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static pthread_t counted_thread;
static int counting;
static volatile int is_ours; /* volatile: a compiler thinks that malloc does not look at it */
static long all, ours, all_bytes, our_bytes;
static struct {
    long at, times; /* fails from the at-th on, so many times */
    int ours;       /* of ours alone */
} failing;

static int refused(size_t size) {
    const int counts = !failing.ours || is_ours;
    if (!counting || !pthread_equal(pthread_self(), counted_thread))
        return 0;
    all_bytes += (long)size;
    all++, ours += is_ours;
    our_bytes += is_ours ? (long)size : 0;
    if (!counts || (failing.ours ? ours : all) < failing.at || !failing.times)
        return 0;
    failing.times--;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    return refused(size) ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    return refused(count * size) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
    return refused(size) ? NULL : __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    return refused(size) ? NULL : __libc_memalign(alignment, size);
}
void *memalign(size_t alignment, size_t size) {
    return refused(size) ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size) {
    *out = refused(size) ? NULL : __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

#define OURS(call)                                                                                                     \
    is_ours = 1;                                                                                                       \
    void *piece = call;                                                                                                \
    is_ours = 0;                                                                                                       \
    return piece

void *__wrap_malloc(size_t size) {
    OURS(malloc(size));
}
void *__wrap_calloc(size_t count, size_t size) {
    OURS(calloc(count, size));
}
void *__wrap_realloc(void *old, size_t size) {
    OURS(realloc(old, size));
}
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    OURS(aligned_alloc(alignment, size));
}

enum { W = 160, H = 120, FRAMES = 400, SEARCH = EDGEECHO_SEARCH_REGION | EDGEECHO_SEARCH_ORIENTATION };
static uint8_t cine[40][W * H];

static void begin_count(void) {
    all = ours = all_bytes = our_bytes = 0;
    counting = 1;
}

static void end_count(const char *what) {
    counting = 0;
    printf("%-22s %ld allocations of our own, %ld bytes; %ld of ONNX Runtime and libc, %ld bytes\n", what, ours,
           our_bytes, all - ours, all_bytes - our_bytes);
}

static edgeecho_status create(edgeecho_model *model, uint32_t search, edgeecho_stream **stream) {
    edgeecho_stream_options options = {sizeof options, W, H, 50, 0.3, 0.3, search, 0, 0};
    return edgeecho_stream_create(model, &options, stream);
}

/* More memory than there is: an error, and not a stream of less. */
static void refuse_huge(edgeecho_model *model) {
    const edgeecho_stream_options options = {sizeof options, W, H, 50, 0.3, 0.3, 0, 0, SIZE_MAX};
    edgeecho_stream *stream;
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_E_MEMORY && !stream);
}

/* The self-test, where there is one; passed or not is all the same here. */
static edgeecho_status selftest(edgeecho_model *model, edgeecho_selftest_result *result) {
    *result = (edgeecho_selftest_result){.struct_size = sizeof *result};
    const edgeecho_status status = edgeecho_selftest(model, result);
    return status == EDGEECHO_E_SELFTEST || status == EDGEECHO_MORE ? EDGEECHO_OK : status;
}

/* Count the allocations of a stream, from create on. */
static void count_stream(edgeecho_model *model, uint32_t search) {
    edgeecho_stream *stream;
    begin_count();
    CHECK(create(model, search, &stream) == EDGEECHO_OK);
    end_count(search ? "create with search:" : "create:");
    edgeecho_frame frame = {.struct_size = sizeof frame, .stride_bytes = W, .width = W, .height = H};
    edgeecho_result result = {.struct_size = sizeof result};
    static uint8_t mask[W * H];
    long least = 0, most = 0, bytes = 0, own = 0;
    for (int k = 0; k < FRAMES; k++) {
        frame.pixels = cine[k % 40];
        begin_count();
        CHECK(edgeecho_push(stream, &frame) >= 0 && edgeecho_read(stream, &result) >= 0);
        CHECK(edgeecho_mask(stream, mask, sizeof mask, W) >= 0);
        counting = 0;
        own += ours;
        if (k < 5)
            continue;
        least = k == 5 || all < least ? all : least;
        most = all > most ? all : most;
        bytes = all_bytes > bytes ? all_bytes : bytes;
    }
    printf("%-22s %ld allocations of our own in %d frames; of ONNX Runtime %ld to %ld a frame, at most %ld bytes\n",
           "push, read, mask:", own, FRAMES, least, most, bytes);
    CHECK(own == 0);
    begin_count();
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        ;
    CHECK(edgeecho_reset(stream) == EDGEECHO_OK);
    end_count("flush, reset:");
    CHECK(ours == 0);
    edgeecho_stream_destroy(stream);
}

/* A stream in memory of the caller: nothing of ours is allocated. */
static void count_init(edgeecho_model *model) {
    const edgeecho_stream_options options = {sizeof options, W, H, 50, 0.3, 0.3, SEARCH, 0, 0};
    const edgeecho_stream_options others = {sizeof others, W, H, 25, 0.2, 0.2, 0, 0, 0};
    const size_t size = edgeecho_stream_size(model, &options);
    edgeecho_stream *stream;
    void *memory;
    CHECK(posix_memalign(&memory, EDGEECHO_ALIGNMENT, size) == 0);
    begin_count();
    CHECK(edgeecho_stream_init(model, &options, memory, size, &stream) == EDGEECHO_OK);
    end_count("init with search:");
    CHECK(ours == 0);
    begin_count();
    CHECK(edgeecho_reset_with(stream, &others) == EDGEECHO_OK);
    CHECK(edgeecho_reset_with(stream, &options) == EDGEECHO_OK);
    end_count("two resets:");
    CHECK(ours == 0);
    edgeecho_stream_destroy(stream);
    free(memory);
}

static void count(const char *path) {
    edgeecho_model *model;
    begin_count();
    CHECK(edgeecho_open(path, NULL, &model) == EDGEECHO_OK);
    end_count("open:");
    edgeecho_selftest_result tested;
    begin_count();
    CHECK(selftest(model, &tested) == EDGEECHO_OK);
    end_count("self-test:");
    count_stream(model, 0);
    count_stream(model, SEARCH);
    count_init(model);
    refuse_huge(model);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
}

/* Run in a process of its own; returns 0 for an error status, 1 if all went well, else the signal and 100. */
static int attempt(const char *path, long at, long times, int only_ours) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        edgeecho_model *model = NULL;
        edgeecho_stream *stream = NULL;
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        (void)!freopen("/dev/null", "w", stderr);
        alarm(30);
        counted_thread = pthread_self();
        failing.at = at, failing.times = times, failing.ours = only_ours;
        begin_count();
        edgeecho_status status = edgeecho_open(path, NULL, &model);
        if (status == EDGEECHO_OK)
            status = create(model, SEARCH, &stream);
        if ((status == EDGEECHO_OK) != (stream != NULL) || status > 0)
            _exit(2);
        edgeecho_selftest_result tested;
        if (status == EDGEECHO_OK && only_ours)
            status = selftest(model, &tested);
        counting = 0;
        edgeecho_stream_destroy(stream);
        if (edgeecho_close(model) != EDGEECHO_OK)
            _exit(2);
        _exit(status == EDGEECHO_OK);
    }
    int state;
    CHECK(waitpid(child, &state, 0) == child);
    return WIFSIGNALED(state) ? 100 + WTERMSIG(state) : WEXITSTATUS(state);
}

typedef struct outcome {
    long tried, refused, opened, signals, odd;
} outcome;

/* Every `step`-th of `total` allocations fails, alone or with all after it. */
static outcome fail(const char *path, long total, long step, long times, int only_ours) {
    outcome o = {0};
    for (long at = 1; at <= total; at += step, o.tried++) {
        const int end = attempt(path, at, times, only_ours);
        o.refused += end == 0, o.opened += end == 1, o.signals += end >= 100, o.odd += end > 1 && end < 100;
    }
    printf("%s: %ld of %ld tried; %ld error statuses, %ld opened all the same, %ld aborts, %ld wrong\n",
           times == 1 ? "one allocation fails" : "and all after it", o.tried, total, o.refused, o.opened, o.signals,
           o.odd);
    CHECK(o.odd == 0);
    return o;
}

static void fail_all(const char *path, int only_ours, long step) {
    edgeecho_model *first, *model;
    edgeecho_stream *stream;
    CHECK(edgeecho_open(path, NULL, &first) == EDGEECHO_OK);
    edgeecho_selftest_result tested;
    begin_count();
    CHECK(edgeecho_open(path, NULL, &model) == EDGEECHO_OK && create(model, SEARCH, &stream) == EDGEECHO_OK);
    CHECK(!only_ours || selftest(model, &tested) == EDGEECHO_OK);
    counting = 0;
    const long total = only_ours ? ours : all;
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    const outcome alone = fail(path, total, step, 1, only_ours), rest = fail(path, total, step, total, only_ours);
    if (only_ours) {
        /* 3 in open, and one for a reference; one in create; 2 in a self-test, a frame and a stream */
        CHECK(total == 4 + (tested.max_levels > 0) + 2 * (tested.frames > 0));
        CHECK(alone.refused == total && rest.refused == total);
    }
    CHECK(edgeecho_close(first) == EDGEECHO_OK);
}

int main(int argc, char **argv) {
    uint64_t seed = 2;
    CHECK(argc > 2);
    counted_thread = pthread_self();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint32_t k = 0; k < 40; k++)
        draw_heart(cine[k], W, H, k, &seed);
    if (strcmp(argv[1], "count") == 0)
        count(argv[2]);
    else
        fail_all(argv[2], strcmp(argv[1], "ours") == 0, argc > 3 ? atol(argv[3]) : 1);
    return 0;
}
