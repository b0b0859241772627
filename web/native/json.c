#include "json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { JSON_BYTES = 32768 }; /* 64 reasons in two lists, with their sentences */

static char text[JSON_BYTES];
static size_t used;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int written = vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    used += (size_t)written < sizeof text - used ? (size_t)written : 0;
}

/* Begin a value: a comma behind one before it, and its name. */
static void begin(const char *name) {
    add("%s\"%s\":", used > 1 ? "," : "", name);
}

static void add_number(const char *name, double value) {
    begin(name);
    if (isnan(value))
        add("null");
    else
        add("%.17g", value);
}

/* Add a text, whose quotes, backslashes and control characters are left out. */
static void add_text(const char *name, const char *value) {
    begin(name);
    add("\"");
    for (; *value; value++)
        if (*value != '"' && *value != '\\' && (unsigned char)*value >= ' ')
            add("%c", *value);
    add("\"");
}

/* Add reasons, whose bits are set, each with its code and its sentence. */
static void add_reasons(const char *name, uint64_t bits) {
    const char *comma = "";
    begin(name);
    add("[");
    for (uint32_t reason = 0; reason < 64; reason++)
        if (bits >> reason & 1) {
            add("%s{\"code\":\"%s\",\"text\":\"%s\"}", comma, edgeecho_reason_code(reason),
                edgeecho_reason_text(reason));
            comma = ",";
        }
    add("]");
}

static void start(void) {
    used = 0;
    add("{");
}

static const char *finish(void) {
    add("}");
    return text;
}

const char *ew_model_json(const edgeecho_model *model) {
    edgeecho_info info = {.struct_size = sizeof info};
    edgeecho_describe(model, &info);
    start();
    add_text("name", info.name);
    add_text("licence", info.licence);
    add_text("intended_use", info.intended_use);
    add_text("precision", info.precision);
    add_text("engine", info.engine);
    add_text("sha256", info.sha256);
    return finish();
}

const char *ew_result_json(const edgeecho_stream *stream) {
    static const char *const verdicts[] = {
        [EDGEECHO_REPORT] = "report", [EDGEECHO_REVIEW] = "review", [EDGEECHO_WITHHOLD] = "withhold"};
    edgeecho_result r = {.struct_size = sizeof r};
    if (edgeecho_read(stream, &r) != EDGEECHO_OK)
        return NULL;
    start();
    add_number("frame", (double)r.frame);
    add_number("area_px", r.area_px);
    add_number("ef_percent", r.ef_percent);
    add_number("withheld_ef_percent", r.withheld_ef_percent);
    add_number("edv_ml", r.edv_ml);
    add_number("esv_ml", r.esv_ml);
    add_number("heart_rate_bpm", r.heart_rate_bpm);
    add_number("beats", r.beats);
    add_text("verdict", verdicts[r.verdict]);
    add_reasons("reasons", r.reasons);
    add_reasons("notes", r.notes);
    add_number("view_fixed", r.view_fixed);
    add_number("flip", r.flip);
    add_number("inverted", r.inverted);
    begin("roi");
    add("[%d,%d,%u,%u]", (int)r.roi_x, (int)r.roi_y, (unsigned)r.roi_width, (unsigned)r.roi_height);
    add_number("time_s", r.time_s);
    add_number("frames_dropped", (double)r.frames_dropped);
    add_number("engine_ms", (double)r.engine_ns / 1e6);
    return finish();
}

const char *ew_beat_json(const edgeecho_stream *stream, uint32_t index) {
    edgeecho_beat b = {.struct_size = sizeof b};
    if (edgeecho_beat_at(stream, index, &b) != EDGEECHO_OK)
        return NULL;
    start();
    add_number("ed_frame", (double)b.ed_frame);
    add_number("es_frame", (double)b.es_frame);
    add_number("ef_percent", b.ef_percent);
    add_number("edv_ml", b.edv_ml);
    add_number("esv_ml", b.esv_ml);
    add_number("heart_rate_bpm", b.heart_rate_bpm);
    add_number("is_used", b.is_used);
    add_reasons("reasons", b.reasons);
    return finish();
}
