/*
 * A program against the header of version 0.1.0 (OLDER_HEADER), or the same against the present one: both print the same.
 *
 *     client MODEL
 */
#ifdef OLDER_HEADER
#include "abi_0_1_0.h"
#else
#include <edgeecho.h>
#endif
#include <string.h>

#include "testing.h"

enum { W = 128, H = 96, FRAMES = 200, GUARD = 64, UNTOUCHED = 0xa5 };

/* Structs as this program knows them, and memory behind them that is not theirs. */
static struct {
    edgeecho_result result;
    uint8_t behind_result[GUARD];
    edgeecho_beat beat;
    uint8_t behind_beat[GUARD];
    edgeecho_info info;
    uint8_t behind_info[GUARD];
} g;

static void check_guards(void) {
    for (int i = 0; i < GUARD; i++)
        CHECK(g.behind_result[i] == UNTOUCHED && g.behind_beat[i] == UNTOUCHED && g.behind_info[i] == UNTOUCHED);
}

static void print_answer(const edgeecho_stream *stream) {
    static uint8_t mask[W * H];
    uint64_t mixed = 0;
    CHECK(edgeecho_read(stream, &g.result) == EDGEECHO_OK);
    CHECK(edgeecho_mask(stream, mask, sizeof mask, W) == EDGEECHO_OK);
    for (uint32_t i = 0; i < sizeof mask; i++)
        mixed = mixed * 31 + mask[i];
    printf("%llu %.0f %.6f %.9f %.9f %.9f %u %u %llx\n", (unsigned long long)g.result.frame, g.result.area_px,
           g.result.area_mm2, g.result.edv_ml, g.result.esv_ml, g.result.heart_rate_bpm, g.result.beats,
           g.result.beats_completed, (unsigned long long)mixed);
}

int main(int argc, char **argv) {
    static uint8_t pixels[W * H];
    uint64_t seed = 6;
    edgeecho_model *model;
    edgeecho_stream *stream;
    edgeecho_open_options opening = {.struct_size = sizeof opening, .threads = 1};
    edgeecho_stream_options options = {.struct_size = sizeof options, .max_width = W, .max_height = H, .fps = 50};
    edgeecho_frame frame = {.struct_size = sizeof frame, .pixels = pixels, .stride_bytes = W, .width = W, .height = H};
    CHECK(argc > 1);
    memset(&g, UNTOUCHED, sizeof g);
    g.result.struct_size = sizeof g.result, g.beat.struct_size = sizeof g.beat, g.info.struct_size = sizeof g.info;
    CHECK(edgeecho_open(argv[1], &opening, &model) == EDGEECHO_OK);
    CHECK(edgeecho_describe(model, &g.info) == EDGEECHO_OK);
    printf("%s %s %u %u\n", g.info.name, g.info.sha256, g.info.size_px, g.info.delay_frames);
    options.row_mm = options.column_mm = 0.4;
    CHECK(edgeecho_stream_create(model, &options, &stream) == EDGEECHO_OK);
    frame.roi_x = (W - H) / 2, frame.roi_width = frame.roi_height = H;
    for (uint32_t t = 0; t < FRAMES; t++) {
        draw_heart(pixels, W, H, t, &seed);
        if (edgeecho_push(stream, &frame) == EDGEECHO_OK)
            print_answer(stream);
    }
    while (edgeecho_flush(stream) == EDGEECHO_OK)
        print_answer(stream);
    for (uint32_t i = 0; edgeecho_beat_at(stream, i, &g.beat) == EDGEECHO_OK; i++)
        printf("beat %llu %llu %.9f %.9f\n", (unsigned long long)g.beat.ed_frame, (unsigned long long)g.beat.es_frame,
               g.beat.ef_percent, g.beat.heart_rate_bpm);
    check_guards();
    frame.width++;
    CHECK(edgeecho_reset(stream) == EDGEECHO_OK && edgeecho_push(stream, &frame) < 0);
    edgeecho_stream_destroy(stream);
    CHECK(edgeecho_close(model) == EDGEECHO_OK);
    return 0;
}
