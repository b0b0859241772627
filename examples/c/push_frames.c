/*
 * Frames from stdin to masks and a line of JSON a frame; then a line a beat, and one that sums up.
 *
 *     push_frames MODEL [size=WxH] [fps=F] [spacing=ROW,COLUMN] [roi=X,Y,W,H] [search] [masks=FILE] < frames
 *
 * stdin is a stream of binary PGM images of one size ("P5 width height 255"), or, where a size is given, raw grey
 * frames without anything between them.  `search` finds the orientation, and the region where none is given.  Masks are written as a stream of PGM images of 0 and 1.
 */
#include <edgeecho.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *model, *masks;
    unsigned width, height, roi_width, roi_height;
    int roi_x, roi_y;
    double fps, row_mm, column_mm;
    int is_searched;
} settings;

static int read_settings(int argc, char **argv, settings *s) {
    memset(s, 0, sizeof *s);
    if (argc < 2)
        return 0;
    s->model = argv[1];
    for (int i = 2; i < argc; i++)
        if (sscanf(argv[i], "size=%ux%u", &s->width, &s->height) != 2 && sscanf(argv[i], "fps=%lf", &s->fps) != 1 &&
            sscanf(argv[i], "spacing=%lf,%lf", &s->row_mm, &s->column_mm) != 2 &&
            sscanf(argv[i], "roi=%d,%d,%u,%u", &s->roi_x, &s->roi_y, &s->roi_width, &s->roi_height) != 4) {
            const int is_search = strcmp(argv[i], "search") == 0;
            if (!is_search && strncmp(argv[i], "masks=", 6) != 0)
                return 0;
            s->is_searched |= is_search;
            s->masks = is_search ? s->masks : argv[i] + 6;
        }
    return 1;
}

/* The header of the next PGM image; 0 at the end of the stream. */
static int read_pgm_header(unsigned *width, unsigned *height) {
    unsigned levels = 0;
    if (scanf(" P5 %u %u %u", width, height, &levels) != 3 || levels != 255)
        return 0;
    return getchar() != EOF; /* one white space */
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

static int fail(edgeecho_status status) {
    fprintf(stderr, "push_frames: %s\n", edgeecho_status_text(status));
    return 1;
}

static int push_all(edgeecho_model *model, settings *s, FILE *masks) {
    const int is_pgm = !s->width;
    if (is_pgm && !read_pgm_header(&s->width, &s->height)) {
        fprintf(stderr, "push_frames: no PGM image on stdin; give size=WxH for raw frames\n");
        return 1;
    }
    const uint32_t region = s->roi_width || s->roi_height ? 0 : EDGEECHO_SEARCH_REGION;
    edgeecho_stream_options options = {.struct_size = sizeof options,
                                       .max_width = s->width,
                                       .max_height = s->height,
                                       .fps = s->fps,
                                       .row_mm = s->row_mm,
                                       .column_mm = s->column_mm,
                                       .search = s->is_searched ? region | EDGEECHO_SEARCH_ORIENTATION : 0};
    edgeecho_stream *stream = NULL;
    edgeecho_status status = edgeecho_stream_create(model, &options, &stream);
    if (status < 0)
        return fail(status);
    const size_t size = (size_t)s->width * s->height;
    uint8_t *pixels = malloc(size), *mask = malloc(size);
    edgeecho_frame frame = {.struct_size = sizeof frame,
                            .pixels = pixels,
                            .stride_bytes = s->width,
                            .width = s->width,
                            .height = s->height,
                            .roi_x = s->roi_x,
                            .roi_y = s->roi_y,
                            .roi_width = s->roi_width,
                            .roi_height = s->roi_height};
    unsigned width = s->width, height = s->height;
    int sound = pixels && mask;
    while (sound && width == s->width && height == s->height && fread(pixels, 1, size, stdin) == size) {
        status = edgeecho_push(stream, &frame);
        sound = status >= 0 && (status == EDGEECHO_MORE || report(stream, mask, size, masks));
        if (is_pgm && !read_pgm_header(&width, &height))
            break;
    }
    while (sound && (status = edgeecho_flush(stream)) == EDGEECHO_OK)
        sound = report(stream, mask, size, masks);
    sum_up(stream);
    free(pixels), free(mask);
    edgeecho_stream_destroy(stream);
    return status < 0 ? fail(status) : !sound;
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
    edgeecho_status status = edgeecho_open(s.model, NULL, &model);
    if (status < 0)
        return fail(status);
    FILE *masks = s.masks ? fopen(s.masks, "wb") : NULL;
    int failed = s.masks && !masks ? 1 : push_all(model, &s, masks);
    if (masks && fclose(masks) != 0)
        failed = 1;
    edgeecho_close(model);
    return failed;
}
