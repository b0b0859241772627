/*
 * Frames from stdin to masks and a line of JSON a frame; then a line a beat, and one that sums up.
 *
 *     push_frames MODEL [size=WxH] [fps=F] [spacing=ROW,COLUMN] [roi=X,Y,W,H] [search] [masks=FILE] < frames
 *
 * stdin is a stream of binary PGM images of one size ("P5 width height 255"), or, where a size is given, raw grey
 * frames without anything between them.  What is neither, or ends within a frame, is an error, and so is a file that
 * holds no whole number of frames of the given size.  `search` finds the orientation, and the region where none is
 * given.  Masks are written as a stream of PGM images of 0 and 1.
 */
#include <edgeecho.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_frames.h"

enum { REASON_BYTES = 512 }; /* a longer sentence is cut */

typedef struct settings {
    const char *model, *masks;
    unsigned width, height, roi_width, roi_height;
    int roi_x, roi_y;
    double fps, row_mm, column_mm;
    int is_searched;
} settings;

/* Whether all of an argument is NAME=VALUES as the format has it, which ends in %n. */
#define READS(argument, count, format, ...)                                                                            \
    (end = 0, sscanf(argument, format "%n", __VA_ARGS__, &end) == (count) && end && !(argument)[end])

static int read_settings(int argc, char **argv, settings *s) {
    int end;
    memset(s, 0, sizeof *s);
    if (argc < 2)
        return 0;
    s->model = argv[1];
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "search") == 0)
            s->is_searched = 1;
        else if (strncmp(argv[i], "masks=", 6) == 0)
            s->masks = argv[i] + 6;
        else if (!(READS(argv[i], 2, "size=%5ux%5u", &s->width, &s->height) && s->width && s->height) &&
                 !READS(argv[i], 1, "fps=%lf", &s->fps) &&
                 !READS(argv[i], 2, "spacing=%lf,%lf", &s->row_mm, &s->column_mm) &&
                 !READS(argv[i], 4, "roi=%d,%d,%u,%u", &s->roi_x, &s->roi_y, &s->roi_width, &s->roi_height)) {
            fprintf(stderr, "push_frames: not understood: %s\n", argv[i]);
            return 0;
        }
    return 1;
}

static void print_number(const char *name, double value) {
    if (isnan(value))
        printf(",\"%s\":null", name);
    else
        printf(",\"%s\":%.6g", name, value);
}

static void print_figures(double ef_percent, double edv_ml, double esv_ml, double heart_rate_bpm) {
    print_number("ef_percent", ef_percent);
    print_number("edv_ml", edv_ml);
    print_number("esv_ml", esv_ml);
    print_number("heart_rate_bpm", heart_rate_bpm);
}

/* Codes of reasons, whose bits are set. */
static void print_reasons(const char *name, uint64_t bits) {
    const char *before = "";
    printf(",\"%s\":[", name);
    for (uint32_t reason = 0; reason < 64; reason++)
        if (bits >> reason & 1) {
            printf("%s\"%s\"", before, edgeecho_reason_code(reason));
            before = ",";
        }
    printf("]");
}

static void print_verdict(const edgeecho_result *r) {
    static const char *const verdicts[] = {"report", "review", "withhold"};
    printf(",\"verdict\":\"%s\"", verdicts[r->verdict]);
    print_reasons("reasons", r->reasons);
    print_reasons("notes", r->notes);
}

static int report(const edgeecho_stream *stream, uint8_t *mask, size_t size, FILE *masks) {
    edgeecho_result r = {.struct_size = sizeof r};
    if (edgeecho_read(stream, &r) != EDGEECHO_OK || edgeecho_mask(stream, mask, size, r.width) != EDGEECHO_OK)
        return 0;
    printf("{\"frame\":%llu,\"area_px\":%.0f", (unsigned long long)r.frame, r.area_px);
    print_number("area_mm2", r.area_mm2);
    print_figures(r.ef_percent, r.edv_ml, r.esv_ml, r.heart_rate_bpm);
    print_number("confidence", r.confidence);
    print_verdict(&r);
    printf(",\"view_fixed\":%u,\"flip\":%u,\"inverted\":%u,\"roi\":[%d,%d,%u,%u]", r.view_fixed, r.flip, r.inverted,
           r.roi_x, r.roi_y, r.roi_width, r.roi_height);
    printf(",\"beats\":%u,\"push_ms\":%.3f}\n", r.beats, (double)r.push_ns / 1e6);
    if (masks &&
        (fprintf(masks, "P5\n%u %u\n1\n", r.width, r.height) < 0 || fwrite(mask, r.width, r.height, masks) != r.height))
        return 0;
    return 1;
}

static void sum_up(const edgeecho_stream *stream) {
    edgeecho_result r = {.struct_size = sizeof r};
    edgeecho_beat beat = {.struct_size = sizeof beat};
    for (uint32_t i = 0; edgeecho_beat_at(stream, i, &beat) == EDGEECHO_OK; i++) {
        printf("{\"ed_frame\":%llu,\"es_frame\":%llu", (unsigned long long)beat.ed_frame,
               (unsigned long long)beat.es_frame);
        print_figures(beat.ef_percent, beat.edv_ml, beat.esv_ml, beat.heart_rate_bpm);
        printf(",\"is_used\":%s", beat.is_used ? "true" : "false");
        print_reasons("reasons", beat.reasons);
        printf("}\n");
    }
    if (edgeecho_read(stream, &r) == EDGEECHO_OK) {
        printf("{\"beats\":%u", r.beats);
        print_figures(r.ef_percent, r.edv_ml, r.esv_ml, r.heart_rate_bpm);
        print_number("withheld_ef_percent", r.withheld_ef_percent);
        print_verdict(&r);
        printf("}\n");
    }
}

static int fail(const char *reason) {
    fprintf(stderr, "push_frames: %s\n", reason);
    return 1;
}

static int fail_input(const frame_source *source) {
    fprintf(stderr, "push_frames: stdin: %s\n", source->error);
    return 1;
}

/* Push every frame of a source, and write what is due; 0 if all went well. */
static int push_frames(edgeecho_stream *stream, frame_source *source, const settings *s, FILE *masks) {
    const size_t size = (size_t)source->width * source->height;
    uint8_t *pixels = malloc(size), *mask = malloc(size);
    edgeecho_frame frame = {.struct_size = sizeof frame,
                            .pixels = pixels,
                            .stride_bytes = source->width,
                            .width = source->width,
                            .height = source->height,
                            .roi_x = s->roi_x,
                            .roi_y = s->roi_y,
                            .roi_width = s->roi_width,
                            .roi_height = s->roi_height};
    edgeecho_status status = pixels && mask ? EDGEECHO_OK : EDGEECHO_E_MEMORY;
    int found = 0, written = 1;
    while (status >= 0 && written && (found = read_frame(source, pixels)) > 0) {
        status = edgeecho_push(stream, &frame);
        written = status != EDGEECHO_OK || report(stream, mask, size, masks);
    }
    while (status >= 0 && written && (status = edgeecho_flush(stream)) == EDGEECHO_OK)
        written = report(stream, mask, size, masks);
    free(pixels), free(mask);
    if (status < 0)
        return fail(status == EDGEECHO_E_MEMORY ? edgeecho_status_text(status) : edgeecho_stream_error(stream));
    sum_up(stream);
    written = fflush(stdout) == 0 && written;
    if (!written)
        fprintf(stderr, "push_frames: a mask or a result could not be written\n");
    return found < 0 ? fail_input(source) : !written;
}

static int run(edgeecho_model *model, const settings *s, FILE *masks) {
    frame_source source;
    if (!open_frames(&source, stdin, s->width, s->height))
        return fail_input(&source);
    const uint32_t region = s->roi_width || s->roi_height ? 0 : EDGEECHO_SEARCH_REGION;
    edgeecho_stream_options options = {.struct_size = sizeof options,
                                       .max_width = source.width,
                                       .max_height = source.height,
                                       .fps = s->fps,
                                       .row_mm = s->row_mm,
                                       .column_mm = s->column_mm,
                                       .search = s->is_searched ? region | EDGEECHO_SEARCH_ORIENTATION : 0};
    edgeecho_stream *stream = NULL;
    if (edgeecho_stream_create(model, &options, &stream) < 0) {
        char reason[REASON_BYTES] = "";
        edgeecho_model_error(model, reason, sizeof reason);
        return fail(reason);
    }
    const int failed = push_frames(stream, &source, s, masks);
    edgeecho_stream_destroy(stream);
    return failed;
}

int main(int argc, char **argv) {
    settings s;
    edgeecho_model *model = NULL;
    if (!read_settings(argc, argv, &s)) {
        fprintf(
            stderr,
            "usage: push_frames MODEL [size=WxH] [fps=F] [spacing=ROW,COLUMN] [roi=X,Y,W,H] [search] [masks=FILE]\n");
        return 2;
    }
    char reason[REASON_BYTES] = "";
    const edgeecho_open_options options = {.struct_size = sizeof options, .error = reason, .error_size = sizeof reason};
    if (edgeecho_open(s.model, &options, &model) < 0)
        return fail(reason);
    FILE *masks = s.masks ? fopen(s.masks, "wb") : NULL;
    int failed = s.masks && !masks;
    if (failed)
        perror(s.masks);
    else
        failed = run(model, &s, masks);
    if (masks && fclose(masks) != 0 && !failed) {
        perror(s.masks);
        failed = 1;
    }
    edgeecho_close(model);
    return failed;
}
