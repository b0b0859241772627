/* Beats, volumes and ejection fraction from the masks of a stream, frame by frame: Python's `BeatMeter` in C.
 *
 * Same algorithm, same decisions, same delay: nothing is reported during the first 2 s; then a beat is reported when the
 * area has fallen by 45% of its range beyond the end-diastole (ED) that closes the beat and half of a 0.12 s window has
 * passed. What was reported does not change later. `ee_beat_meter_finish` reports the last, incomplete beat.
 *
 * Every frame is measured as it comes, so no mask is kept and a beat costs no more than another frame: 0.01 ms at
 * 112x112 and 0.05 at 640x480 on one x86 core (device/tests/measure_driver.c). Finding a turn can add 0.1 ms
 * at 50 fps, 0.2 at 120 and 8 at 1000, where a beat lasts longest. All memory is one block of the caller's; nothing is
 * allocated, printed or global. One thread at a time per meter.
 *
 * Equal to Python only if the compiler does not fuse a * b + c: -std=c11 (not gnu11) with gcc, or -ffp-contract=off.
 */
#ifndef EE_MEASURE_BEAT_METER_H
#define EE_MEASURE_BEAT_METER_H

#ifdef __FAST_MATH__
#error "NAN is a result here, and the order of sums matters: build without -ffast-math"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "component.h"
#include "constants.h"

#define EE_MAX_SIDE 4096u /* pixels */
#define EE_MAX_FPS 1000.0
#define EE_MAX_SPACING_MM 1000.0
#define EE_MIN_SPACING_MM 0.001
#define EE_BEATS_KEPT 4096u /* about an hour; older beats are forgotten, and the medians are over those kept */

typedef struct ee_beat_meter ee_beat_meter;

typedef struct {      /* of a frame, in seconds */
    double given_s;   /* when it was taken */
    double running_s; /* the same without pauses, as beats are measured */
} ee_frame_time;

struct ee_beat;
struct ee_beat_history;

/* One measured beat. Frames count from 0 at the last reset. A figure that is unknown is NAN. */
typedef struct {
    uint64_t ed_frame, es_frame;
    double edv_ml, esv_ml, sv_ml; /* NAN without spacing */
    double ef_percent;            /* 0 to 100; without spacing right only if pixels are square */
    double
        heart_rate_bpm; /* EE_MIN_BPM to EE_MAX_BPM; NAN without a frame rate, or if only one ED and one ES are seen */
    uint64_t reasons;   /* bits, 1 << ee_reason: why the beat is doubtful, */
    uint64_t severe;    /* and which of them leave it out of the medians */
    double ed_time_s, es_time_s; /* when these frames were taken; NAN without times */
} ee_beat_measurement;

/* Medians over the beats that are not left out, NAN where none has the figure. */
typedef struct {
    uint64_t frames; /* pushed */
    uint64_t beats;  /* measured */
    double ef_percent, edv_ml, esv_ml, sv_ml, heart_rate_bpm;
    ee_reason reason;
} ee_measurement;

/* Bytes that a meter for frames of at most this size and rate (0: unknown) needs; 0 if out of bounds. They are
 *   12 * height * (ceil(width / 2) + 1) + 4 * height * width    room for the worst mask; 10 a pixel
 *   + (69 + 6 * height) * (2 * round(6 * fps) + round(0.2 * fps) + 1)    12 s of areas, volumes and outlines
 *   + 128 * EE_BEATS_KEPT                                 524,288
 * and below 2000 for the rest (fps is 50 if unknown, and counts as 8 if less). */
size_t ee_beat_meter_size(uint32_t max_width, uint32_t max_height, double fps);

/* Begin in a block of memory, aligned to 8 bytes, which is the meter's until it is no longer used (there is no close).
 * fps 0: unknown. row_mm and col_mm, the size of a pixel, both 0: unknown.
 * NULL if a value is out of bounds or the block is too small or not aligned. */
ee_beat_meter *ee_beat_meter_init(void *memory, size_t size, uint32_t width, uint32_t height, double fps, double row_mm,
                                  double col_mm);

/* Judge each beat once it is measured: set its `reasons` and `severe`. `elongation` is the larger
 * one of the masks of ED and ES. */
typedef void ee_judge(void *context, const struct ee_beat *beat, double elongation, ee_beat_measurement *measured);
void ee_beat_meter_set_judge(ee_beat_meter *meter, ee_judge *judge, void *context);

/* Forget everything: freeze, new view, new patient. The next frame is number 0. */
void ee_beat_meter_reset(ee_beat_meter *meter);

/* Room for the runs of the next mask, in raster order: as many as a mask of this size can have. */
ee_run *ee_beat_meter_runs(ee_beat_meter *meter);

/* Take so many runs there as the mask of the next push, without those that are not in its largest component, unless all
 * pieces are kept; the pixels that are left. */
size_t ee_beat_meter_take_runs(ee_beat_meter *meter, size_t count, bool keeps_pieces);

/* The newest mask, until the next one is taken. */
ee_runs ee_beat_meter_newest(const ee_beat_meter *meter);

/* Set the time of the next frame. Heart rates are those of the times if the newest frame `has_times`; a first frame at 0
 * may have none so far. */
void ee_beat_meter_at(ee_beat_meter *meter, const ee_frame_time *time, bool has_times);

/* Take the next frame: its mask (height * width, 0 or not 0, dense), whose largest component is measured, and the pixels
 * of the whole mask (0 or NAN: no ventricle seen). Returns the number of beats that this frame completes. */
int ee_beat_meter_push(ee_beat_meter *meter, const uint8_t *mask, double area_px);

/* End the cine: the number of beats that were still open. Call `ee_beat_meter_reset` before the next cine. */
int ee_beat_meter_finish(ee_beat_meter *meter);

/* Volume of the frame that was pushed last, in ml, or in cubic pixels without spacing; NAN if it shows none. It is
 * computed in this call. */
double ee_beat_meter_volume(ee_beat_meter *meter);

/* Beats measured since the last reset, and one of them: 0 is the first. False if there is no such beat, or it is
 * older than the last EE_BEATS_KEPT. */
uint64_t ee_beat_meter_beats(const ee_beat_meter *meter);
bool ee_beat_meter_beat(const ee_beat_meter *meter, uint64_t i, ee_beat_measurement *out);

void ee_beat_meter_summary(const ee_beat_meter *meter, ee_measurement *out);

/* The beats that are kept, for a verdict on all of them. */
const struct ee_beat_history *ee_beat_meter_history(const ee_beat_meter *meter);

#endif
