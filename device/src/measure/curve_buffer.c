#include "curve_buffer.h"

#include <math.h>
#include <string.h>

#include "area_curve.h"
#include "constants.h"
#include "numbers.h"

static int32_t frames_in(double seconds, double fps, int32_t least) {
    const int32_t frames = (int32_t)nearbyint((fps > 0 ? fps : EE_ASSUMED_FPS) * seconds);
    return frames > least ? frames : least;
}

ee_windows ee_windows_for(double fps) {
    return (ee_windows){
        .half =
            fps > 0 ? frames_in(EE_SMOOTHING_S / 2, fps, EE_MIN_SMOOTHING_HALF_FRAMES) : EE_MIN_SMOOTHING_HALF_FRAMES,
        .warm_up = frames_in(EE_WARM_UP_S, fps, EE_MIN_WARM_UP_FRAMES),
        .memory = frames_in(EE_MEMORY_S, fps, EE_MIN_MEMORY_FRAMES),
        .longest = frames_in(EE_LONGEST_BEAT_S, fps, EE_MIN_LONGEST_BEAT_FRAMES),
        .gap = frames_in(EE_MAX_GAP_S, fps, EE_MIN_MAX_GAP_FRAMES),
    };
}

size_t ee_curve_buffer_capacity(double fps) {
    const ee_windows windows = ee_windows_for(fps);
    return (size_t)(2 * windows.longest + windows.gap + 1);
}

void ee_curve_buffer_restart(ee_curve_buffer *b, uint64_t frame) {
    b->first_frame = frame;
    b->length = b->smoothed = 0;
}

void ee_curve_buffer_append(ee_curve_buffer *b, double value, bool shown) {
    b->raw[b->length] = b->values[b->length] = value;
    b->shown[b->length++] = shown;
}

void ee_remove_glitch(ee_curve_buffer *b) {
    if (b->length < 3)
        return;
    double *last = b->values + b->length - 3;
    const double up = last[1] - last[0], down = last[1] - last[2];
    if (up * down > 0 && ee_smaller(fabs(up), fabs(down)) > EE_MIN_GLITCH_FRACTION * (last[0] + last[2]) / 2) {
        last[1] = (last[0] + last[2]) / 2;
        b->shown[b->length - 2] = false;
    }
}

void ee_smooth_to(ee_curve_buffer *b, int32_t end) {
    for (; b->smoothed < end; b->smoothed++)
        b->smooth[b->smoothed] =
            ee_smooth_at(b->values, (size_t)b->length, (size_t)b->smoothed, (size_t)b->windows.half);
}

double ee_curve_range(const ee_curve_buffer *b) {
    const int32_t from = b->smoothed > b->windows.memory ? b->smoothed - b->windows.memory : 0;
    return ee_beat_range(b->smooth + from, (size_t)(b->smoothed - from));
}

int32_t ee_curve_buffer_trim(ee_curve_buffer *b) {
    if (b->length < 2 * b->windows.longest)
        return 0;
    const int32_t cut = b->length - b->windows.longest;
    const size_t kept = (size_t)b->windows.longest;
    memmove(b->raw, b->raw + cut, kept * sizeof *b->raw);
    memmove(b->values, b->values + cut, kept * sizeof *b->values);
    memmove(b->shown, b->shown + cut, kept * sizeof *b->shown);
    memmove(b->smooth, b->smooth + cut, (size_t)(b->smoothed - cut) * sizeof *b->smooth);
    b->first_frame += (uint64_t)cut;
    b->length -= cut;
    b->smoothed -= cut;
    return cut;
}
