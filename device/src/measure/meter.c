#include "meter.h"

#include <math.h>

#include "discs.h"
#include "history.h"
#include "tracker.h"

/* Heart rates outside are not reported. */
static const double MIN_BPM = 30, MAX_BPM = 200;

struct ee_meter {
    double fps;           /* 0: unknown */
    ee_vector spacing_mm; /* 1 if unknown */
    bool has_spacing;
    int completed;  /* beats measured in this call */
    uint64_t found; /* beats in the area curve, measured or not */
    double volume;  /* of the last frame, mm3 */
    double *volumes; /* of each frame that a beat may still name, at its number modulo `capacity` */
    size_t capacity;
    ee_tracker tracker;
    ee_region region;
    ee_history history;
};

/* What is taken of the caller's block so far; without a base it is only counted. */
typedef struct {
    unsigned char *base;
    size_t used;
} block;

static void *take(block *b, size_t count, size_t bytes)
{
    void *start = b->base ? b->base + b->used : NULL;
    b->used += (count * bytes + 7) / 8 * 8;
    return start;
}

/* Lay out the buffers of a meter, which stands first in the block; the bytes of all. */
static size_t lay_out(ee_meter *m, unsigned char *base)
{
    block b = {base, 0};
    const size_t width = m->region.width, height = m->region.height;
    take(&b, 1, sizeof *m);
    m->capacity = ee_tracker_capacity(m->fps);
    m->volumes = take(&b, m->capacity, sizeof(double));
    m->tracker.raw = take(&b, m->capacity, sizeof(double));
    m->tracker.values = take(&b, m->capacity, sizeof(double));
    m->tracker.smooth = take(&b, m->capacity, sizeof(double));
    m->tracker.piece = take(&b, m->capacity, sizeof(double));
    m->tracker.shown = take(&b, m->capacity, sizeof(bool));
    m->history.beats = take(&b, EE_BEATS_KEPT, sizeof(ee_beat));
    for (int i = 0; i < EE_FIGURES; i++)
        m->history.sorted[i] = take(&b, EE_BEATS_KEPT, sizeof(double));
    m->region.runs = take(&b, height * ((width + 1) / 2), sizeof(ee_run));
    m->region.edge = take(&b, height * width, sizeof(ee_pixel));
    return b.used;
}

size_t ee_meter_size(uint32_t max_width, uint32_t max_height, double fps)
{
    if (max_width < 1 || max_width > EE_MAX_SIDE || max_height < 1 || max_height > EE_MAX_SIDE)
        return 0;
    if (!(fps >= 0 && fps <= EE_MAX_FPS))
        return 0;
    ee_meter counted = {.fps = fps, .region = {.width = max_width, .height = max_height}};
    return lay_out(&counted, NULL);
}

/* Measure a beat that the tracker found, if its two frames have a volume that falls. */
static void measure(void *context, const ee_found *found)
{
    ee_meter *m = context;
    const double edv = m->volumes[found->ed_frame % m->capacity], esv = m->volumes[found->es_frame % m->capacity];
    m->found++;
    if (!(esv < edv))
        return;
    const double rate = m->fps > 0 && found->interval_frames > 0 ? 60 * m->fps / found->interval_frames : NAN;
    const ee_beat beat = {
        .ed_frame = found->ed_frame,
        .es_frame = found->es_frame,
        .edv_ml = m->has_spacing ? edv / 1000 : NAN,
        .esv_ml = m->has_spacing ? esv / 1000 : NAN,
        .sv_ml = m->has_spacing ? (edv - esv) / 1000 : NAN,
        .ef_percent = 100 * (edv - esv) / edv,
        .heart_rate_bpm = rate >= MIN_BPM && rate <= MAX_BPM ? rate : NAN,
    };
    ee_history_add(&m->history, &beat);
    m->completed++;
}

static bool is_spacing(double mm)
{
    return mm >= EE_MIN_SPACING_MM && mm <= EE_MAX_SPACING_MM;
}

ee_meter *ee_meter_init(void *memory, size_t size, uint32_t width, uint32_t height, double fps, double row_mm,
                        double col_mm)
{
    const size_t needed = ee_meter_size(width, height, fps);
    const bool has_spacing = is_spacing(row_mm) && is_spacing(col_mm);
    if (memory == NULL || (uintptr_t)memory % 8 != 0 || needed == 0 || size < needed)
        return NULL;
    if (!has_spacing && !(row_mm == 0 && col_mm == 0))
        return NULL;
    ee_meter *m = memory;
    *m = (ee_meter){
        .fps = fps,
        .spacing_mm = has_spacing ? (ee_vector){row_mm, col_mm} : (ee_vector){1, 1},
        .has_spacing = has_spacing,
        .region = {.width = width, .height = height},
    };
    lay_out(m, memory);
    ee_tracker_init(&m->tracker, fps);
    m->tracker.say = measure;
    m->tracker.context = m;
    ee_meter_reset(m);
    return m;
}

void ee_meter_reset(ee_meter *m)
{
    m->found = 0;
    m->volume = NAN;
    ee_tracker_reset(&m->tracker);
    ee_history_reset(&m->history);
}

int ee_meter_push(ee_meter *m, const uint8_t *mask, double area_px)
{
    m->completed = 0;
    m->volume = ee_disc_volume(&m->region, mask, m->spacing_mm);
    m->volumes[m->tracker.frames % m->capacity] = m->volume;
    ee_tracker_push(&m->tracker, area_px);
    return m->completed;
}

int ee_meter_finish(ee_meter *m)
{
    m->completed = 0;
    ee_tracker_finish(&m->tracker);
    return m->completed;
}

double ee_meter_volume(const ee_meter *m)
{
    return m->has_spacing ? m->volume / 1000 : m->volume;
}

uint64_t ee_meter_beats(const ee_meter *m)
{
    return m->history.count;
}

bool ee_meter_beat(const ee_meter *m, uint64_t i, ee_beat *out)
{
    return ee_history_get(&m->history, i, out);
}

void ee_meter_summary(const ee_meter *m, ee_summary *out)
{
    ee_why why = EE_WHY_NOTHING;
    if (m->found == 0)
        why = ee_tracker_why(&m->tracker);
    else if (m->history.count == 0)
        why = EE_WHY_NOT_MEASURABLE;
    *out = (ee_summary){
        .frames = m->tracker.frames,
        .beats = m->history.count,
        .ef_percent = ee_history_median(&m->history, EE_EF),
        .edv_ml = ee_history_median(&m->history, EE_EDV),
        .esv_ml = ee_history_median(&m->history, EE_ESV),
        .sv_ml = ee_history_median(&m->history, EE_SV),
        .heart_rate_bpm = ee_history_median(&m->history, EE_RATE),
        .why = why,
    };
}
