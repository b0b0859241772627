#include "frame_clock.h"

#include <math.h>

void ee_frame_clock_reset(ee_frame_clock *c) {
    c->frames = c->dropped = 0;
    c->has_times = 0;
    c->newest = (ee_frame_time){0, 0};
}

int ee_frame_clock_allows(const ee_frame_clock *c, double time_s, ee_error *error) {
    if (!isfinite(time_s)) {
        ee_set_error(error, "time_s of the frame is not a finite number");
        return 0;
    }
    if (c->frames && (c->has_times || c->newest.given_s != 0 || time_s != 0) && !(time_s > c->newest.given_s)) {
        ee_set_error(error, "time_s of the frame is %.9g, not after the %.9g of the frame before: call edgeecho_reset",
                     time_s, c->newest.given_s);
        return 0;
    }
    if (c->frames > 1 && !c->has_times && time_s != 0) {
        ee_set_error(error, "time_s of the frame is %.9g, and those before had no times: call edgeecho_reset", time_s);
        return 0;
    }
    return 1;
}

void ee_frame_clock_add(ee_frame_clock *c, double time_s) {
    const double step = time_s - c->newest.given_s;
    ee_frame_time next = {time_s, 0};
    c->has_times |= time_s != 0;
    if (c->frames && c->has_times) {
        const double missing = c->fps > 0 ? nearbyint(step * c->fps) - 1 : 0;
        const int is_pause = c->fps > 0 && step * c->fps > EE_MIN_PAUSE_STEPS;
        next.running_s = c->newest.running_s + (is_pause ? 1 / c->fps : step);
        c->dropped += missing > 0 ? (uint64_t)(missing < UINT32_MAX ? missing : UINT32_MAX) : 0;
    }
    c->newest = next;
    c->waiting[c->frames++ % c->capacity] = next;
}

ee_frame_time ee_frame_clock_at(const ee_frame_clock *c, uint64_t frame) {
    return c->waiting[frame % c->capacity];
}
