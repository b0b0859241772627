/*
 * Whether this processor gives the answers that a device file states; to be run on the board, after each update.
 *
 *     selftest MODEL
 *
 * Prints one line.  Exit code 0: it does.  1: it does not, or the model cannot be run.  2: nothing was tested, as the
 * file has no self-test, or no file was named.
 */
#include <edgeecho.h>
#include <stdio.h>

enum { REASON_BYTES = 512 }; /* a longer sentence is cut */

static void print_difference(const edgeecho_selftest_result *r) {
    printf("frame %u differs: this processor does not give the proven answers in %u of %u frames; ", r->first_different,
           r->frames_different, r->frames);
    if (r->max_levels)
        printf("prob differs by up to %u of 255, %u allowed; ", r->levels, r->max_levels);
    printf("areas differ by up to %u pixels, %.0f ms\n", r->area_difference_px, (double)r->elapsed_ns / 1e6);
}

int main(int argc, char **argv) {
    edgeecho_model *model = NULL;
    edgeecho_selftest_result r = {.struct_size = sizeof r};
    if (argc != 2) {
        fprintf(stderr, "usage: selftest MODEL\n");
        return 2;
    }
    char reason[REASON_BYTES] = "";
    const edgeecho_open_options options = {.struct_size = sizeof options, .error = reason, .error_size = sizeof reason};
    edgeecho_status status = edgeecho_open(argv[1], &options, &model);
    if (status == EDGEECHO_OK)
        status = edgeecho_selftest(model, &r);
    if (status == EDGEECHO_OK)
        printf("this processor gives the proven answers: %u of %u frames, %.0f ms\n", r.frames, r.frames,
               (double)r.elapsed_ns / 1e6);
    else if (status == EDGEECHO_E_SELFTEST)
        print_difference(&r);
    else if (status == EDGEECHO_MORE)
        printf("%s has no self-test; export it again\n", argv[1]);
    else {
        edgeecho_model_error(model, reason, model ? sizeof reason : 0);
        fprintf(stderr, "selftest: %s\n", reason);
    }
    edgeecho_close(model);
    return status == EDGEECHO_OK ? 0 : status == EDGEECHO_MORE ? 2 : 1;
}
