/*
 * The smallest program: open a model, push frames from memory, print the ejection fraction.
 *
 *     measure_ef [MODEL]     MODEL is stream.int8.edgeecho without it
 *
 * It draws a heart of 75 beats a minute, which stands for a scanner: put your frames in place of `draw_frame`.
 */
#include <edgeecho.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 160, HEIGHT = 120, FPS = 30, FRAMES = 5 * FPS, FRAMES_PER_BEAT = 24 };

/* Draw a sector of speckle, apex up, with a dark ellipse that is smallest in the middle of each beat. */
static void draw_frame(int t, uint8_t pixels[HEIGHT][WIDTH]) {
    const double size = 0.9 + 0.1 * cos(6.2832 * t / FRAMES_PER_BEAT);
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++) {
            const double x = (column + 0.5) / WIDTH - 0.5, y = (row + 0.5) / HEIGHT;
            const int is_sector = fabs(x) < 0.08 + 0.45 * y && hypot(x, y) < 0.97;
            const int is_ventricle = hypot(x / (0.14 * size), (y - 0.52) / (0.27 * size)) < 1;
            pixels[row][column] =
                (uint8_t)(is_sector ? (is_ventricle ? 22 : 150) * (0.6 + 0.8 * rand() / RAND_MAX) : 0);
        }
}

static edgeecho_status check(edgeecho_status status) {
    if (status < 0) {
        fprintf(stderr, "measure_ef: %s\n", edgeecho_status_text(status));
        exit(1);
    }
    return status;
}

int main(int argc, char **argv) {
    static uint8_t pixels[HEIGHT][WIDTH];
    edgeecho_model *model = NULL;
    edgeecho_stream *stream = NULL;
    edgeecho_stream_options options = {
        .struct_size = sizeof options, .max_width = WIDTH, .max_height = HEIGHT, .fps = FPS};
    edgeecho_frame frame = {
        .struct_size = sizeof frame, .pixels = pixels[0], .stride_bytes = WIDTH, .width = WIDTH, .height = HEIGHT};
    edgeecho_result result = {.struct_size = sizeof result};

    check(edgeecho_open(argc > 1 ? argv[1] : "stream.int8.edgeecho", NULL, &model));
    check(edgeecho_stream_create(model, &options, &stream));
    for (int t = 0; t < FRAMES; t++) {
        draw_frame(t, pixels);
        check(edgeecho_push(stream, &frame));
    }
    while (check(edgeecho_flush(stream)) == EDGEECHO_OK)
        continue; /* the last frames have their masks */
    check(edgeecho_read(stream, &result));
    if (result.verdict == EDGEECHO_WITHHOLD)
        printf("EF withheld\n");
    else
        printf("EF %.0f%%, the median of %u beats\n", result.ef_percent, result.beats);
    for (uint32_t reason = 0; reason < 64; reason++)
        if (result.reasons >> reason & 1)
            printf("%s\n", edgeecho_reason_text(reason));
    edgeecho_stream_destroy(stream);
    edgeecho_close(model);
    return 0;
}
