#include "beat_meter.h"

#include <math.h>

#include "beat_detector.h"
#include "beat_history.h"
#include "disc_volume.h"
#include "ejection_fraction.h"
#include "numbers.h"

/* A run of a mask that waits to be measured. */
typedef struct {
    uint16_t row, first, last;
} kept_run;

static const uint32_t MEASURED = UINT32_MAX;

struct ee_beat_meter {
    double fps;           /* 0: unknown */
    ee_vector spacing_mm; /* 1 if unknown */
    bool has_spacing;
    int completed; /* beats measured in this call */
    /* Of each frame that a beat may still name, at its number modulo `capacity`: its discs, or the runs of its
     * mask, `height` of them at most, which are measured if a beat names it. Few frames are named. */
    ee_discs *discs;
    uint32_t *waiting; /* runs kept, or MEASURED */
    kept_run *kept;
    size_t capacity;
    ee_run *older;        /* runs of an older frame while it is measured */
    size_t runs;          /* of the newest mask, in `component`, */
    ee_pixel corner;      /* and the pixel from which they count */
    bool knows_runs;      /* of the mask of the next push */
    ee_frame_time *times; /* of the last `capacity` frames; without times they are not used */
    bool has_times;
    ee_judge *judge; /* NULL: every beat is used */
    void *judge_context;
    ee_beat_tracker tracker;
    ee_component component;
    ee_beat_history history;
};

/* What is taken of the caller's block so far; without a base it is only counted. */
typedef struct {
    unsigned char *base;
    size_t used;
} block;

static void *take(block *b, size_t count, size_t bytes) {
    void *start = b->base ? b->base + b->used : NULL;
    b->used += (count * bytes + 7) / 8 * 8;
    return start;
}

/* Lay out the buffers of a meter, which stands first in the block; the bytes of all. */
static size_t lay_out(ee_beat_meter *m, unsigned char *base) {
    block b = {base, 0};
    const size_t width = m->component.width, height = m->component.height;
    take(&b, 1, sizeof *m);
    m->capacity = ee_curve_buffer_capacity(m->fps);
    m->discs = take(&b, m->capacity, sizeof(ee_discs));
    m->times = take(&b, m->capacity, sizeof(ee_frame_time));
    m->waiting = take(&b, m->capacity, sizeof(uint32_t));
    m->kept = take(&b, m->capacity * height, sizeof(kept_run));
    m->tracker.buffer.raw = take(&b, m->capacity, sizeof(double));
    m->tracker.buffer.values = take(&b, m->capacity, sizeof(double));
    m->tracker.buffer.smooth = take(&b, m->capacity, sizeof(double));
    m->tracker.points.piece = take(&b, m->capacity, sizeof(double));
    m->tracker.buffer.shown = take(&b, m->capacity, sizeof(bool));
    m->history.beats = take(&b, EE_BEATS_KEPT, sizeof(ee_beat_measurement));
    for (int i = 0; i < EE_FIGURES; i++)
        m->history.sorted[i] = take(&b, EE_BEATS_KEPT, sizeof(double));
    m->component.runs = take(&b, height * ((width + 1) / 2), sizeof(ee_run));
    m->older = take(&b, height, sizeof(ee_run));
    m->component.edge = take(&b, height * width, sizeof(ee_pixel));
    return b.used;
}

size_t ee_beat_meter_size(uint32_t max_width, uint32_t max_height, double fps) {
    if (max_width < 1 || max_width > EE_MAX_SIDE || max_height < 1 || max_height > EE_MAX_SIDE)
        return 0;
    if (!(fps >= 0 && fps <= EE_MAX_FPS))
        return 0;
    ee_beat_meter counted = {.fps = fps, .component = {.width = max_width, .height = max_height}};
    return lay_out(&counted, NULL);
}

/* The discs of a frame that is still held, measured now if it was not before. */
static ee_discs discs_of(ee_beat_meter *m, uint64_t frame) {
    const size_t slot = (size_t)(frame % m->capacity);
    if (m->waiting[slot] != MEASURED) {
        const kept_run *kept = m->kept + slot * m->component.height;
        ee_component older = m->component;
        older.runs = m->older;
        for (uint32_t i = 0; i < m->waiting[slot]; i++)
            older.runs[i] = (ee_run){kept[i].row, kept[i].first, kept[i].last, 0};
        m->discs[slot] = ee_discs_of(&older, m->waiting[slot], m->spacing_mm);
        m->waiting[slot] = MEASURED;
    }
    return m->discs[slot];
}

/* Beats a minute of a beat, by the times of its frames or by the frame rate; NAN if unknown or out of bounds. */
static double heart_rate(const ee_beat_meter *m, const ee_beat *beat) {
    double rate = NAN;
    if (!(beat->interval_frames > 0))
        return NAN;
    if (m->has_times) {
        const uint64_t end = beat->next_ed_frame ? beat->next_ed_frame : beat->es_frame;
        const uint64_t start = end - (uint64_t)beat->interval_frames;
        rate = 60 / (m->times[end % m->capacity].running_s - m->times[start % m->capacity].running_s);
    } else if (m->fps > 0) {
        rate = 60 * m->fps / beat->interval_frames;
    }
    return rate >= EE_MIN_BPM && rate <= EE_MAX_BPM ? rate : NAN;
}

static double time_of(const ee_beat_meter *m, uint64_t frame) {
    return m->has_times ? m->times[frame % m->capacity].given_s : NAN;
}

/* Measure a beat that the tracker found, if its two frames have a volume that falls. */
static void measure(void *context, const ee_beat *found) {
    ee_beat_meter *m = context;
    const ee_discs ed = discs_of(m, found->ed_frame), es = discs_of(m, found->es_frame);
    const double edv = ed.volume, esv = es.volume;
    if (!(esv < edv))
        return;
    ee_beat_measurement beat = {
        .ed_frame = found->ed_frame,
        .es_frame = found->es_frame,
        .edv_ml = m->has_spacing ? edv / 1000 : NAN,
        .esv_ml = m->has_spacing ? esv / 1000 : NAN,
        .sv_ml = m->has_spacing ? (edv - esv) / 1000 : NAN,
        .ef_percent = ee_ef_percent(edv, esv),
        .heart_rate_bpm = heart_rate(m, found),
        .ed_time_s = time_of(m, found->ed_frame),
        .es_time_s = time_of(m, found->es_frame),
    };
    if (m->judge)
        m->judge(m->judge_context, found, ee_larger(ed.elongation, es.elongation), &beat);
    ee_beat_history_add(&m->history, &beat);
    m->completed++;
}

static bool is_spacing(double mm) {
    return mm >= EE_MIN_SPACING_MM && mm <= EE_MAX_SPACING_MM;
}

ee_beat_meter *ee_beat_meter_init(void *memory, size_t size, uint32_t width, uint32_t height, double fps, double row_mm,
                                  double col_mm) {
    const size_t needed = ee_beat_meter_size(width, height, fps);
    const bool has_spacing = is_spacing(row_mm) && is_spacing(col_mm);
    if (memory == NULL || (uintptr_t)memory % 8 != 0 || needed == 0 || size < needed)
        return NULL;
    if (!has_spacing && !(row_mm == 0 && col_mm == 0))
        return NULL;
    ee_beat_meter *m = memory;
    *m = (ee_beat_meter){
        .fps = fps,
        .spacing_mm = has_spacing ? (ee_vector){row_mm, col_mm} : (ee_vector){1, 1},
        .has_spacing = has_spacing,
        .component = {.width = width, .height = height},
    };
    lay_out(m, memory);
    ee_beat_tracker_init(&m->tracker, fps);
    m->tracker.on_beat = measure;
    m->tracker.context = m;
    ee_beat_meter_reset(m);
    return m;
}

void ee_beat_meter_set_judge(ee_beat_meter *m, ee_judge *judge, void *context) {
    m->judge = judge;
    m->judge_context = context;
}

void ee_beat_meter_reset(ee_beat_meter *m) {
    m->knows_runs = m->has_times = false;
    m->runs = 0;
    ee_beat_tracker_reset(&m->tracker);
    ee_beat_history_reset(&m->history);
}

ee_run *ee_beat_meter_runs(ee_beat_meter *m) {
    return m->component.runs;
}

size_t ee_beat_meter_take_runs(ee_beat_meter *m, size_t count, bool keeps_pieces) {
    size_t pixels = 0;
    m->runs = keeps_pieces ? count : ee_keep_largest(&m->component, count);
    m->corner = (ee_pixel){0, 0};
    m->knows_runs = true;
    for (size_t i = 0; i < m->runs; i++)
        pixels += (size_t)m->component.runs[i].last - m->component.runs[i].first + 1;
    return pixels;
}

ee_runs ee_beat_meter_newest(const ee_beat_meter *m) {
    return (ee_runs){m->component.runs, m->runs, m->corner};
}

void ee_beat_meter_at(ee_beat_meter *m, const ee_frame_time *time, bool has_times) {
    m->times[m->tracker.frames % m->capacity] = *time;
    m->has_times = has_times;
}

int ee_beat_meter_push(ee_beat_meter *m, const uint8_t *mask, double area_px) {
    m->completed = 0;
    const size_t slot = (size_t)(m->tracker.frames % m->capacity);
    if (!m->knows_runs)
        m->runs = ee_find_runs(&m->component, mask);
    m->knows_runs = false;
    if (m->runs <= m->component.height) {
        kept_run *kept = m->kept + slot * m->component.height;
        for (size_t i = 0; i < m->runs; i++)
            kept[i] = (kept_run){m->component.runs[i].row, m->component.runs[i].first, m->component.runs[i].last};
        m->waiting[slot] = (uint32_t)m->runs;
    } else { /* a ragged mask */
        m->discs[slot] = ee_discs_of(&m->component, m->runs, m->spacing_mm);
        m->runs = m->component.run_count;
        m->corner = m->component.corner;
        m->waiting[slot] = MEASURED;
    }
    ee_beat_tracker_push(&m->tracker, area_px);
    return m->completed;
}

int ee_beat_meter_finish(ee_beat_meter *m) {
    m->completed = 0;
    ee_beat_tracker_finish(&m->tracker);
    return m->completed;
}

double ee_beat_meter_volume(ee_beat_meter *m) {
    const double volume = m->tracker.frames ? discs_of(m, m->tracker.frames - 1).volume : NAN;
    return m->has_spacing ? volume / 1000 : volume;
}

uint64_t ee_beat_meter_beats(const ee_beat_meter *m) {
    return m->history.count;
}

bool ee_beat_meter_beat(const ee_beat_meter *m, uint64_t i, ee_beat_measurement *out) {
    return ee_beat_history_get(&m->history, i, out);
}

const ee_beat_history *ee_beat_meter_history(const ee_beat_meter *m) {
    return &m->history;
}

void ee_beat_meter_summary(const ee_beat_meter *m, ee_measurement *out) {
    ee_reason reason = EE_REASON_NONE;
    if (m->tracker.reported_beats == 0)
        reason = ee_why_no_beat(&m->tracker);
    else if (m->history.count == 0)
        reason = EE_REASON_NOT_MEASURABLE;
    *out = (ee_measurement){
        .frames = m->tracker.frames,
        .beats = m->history.count,
        .ef_percent = ee_beat_history_median(&m->history, EE_EF),
        .edv_ml = ee_beat_history_median(&m->history, EE_EDV),
        .esv_ml = ee_beat_history_median(&m->history, EE_ESV),
        .sv_ml = ee_beat_history_median(&m->history, EE_SV),
        .heart_rate_bpm = ee_beat_history_median(&m->history, EE_RATE),
        .reason = reason,
    };
}
