#include "stream_memory.h"

/* Memory of a stream: one block, cut into pieces. Without a block its bytes are only counted. */
typedef struct {
    uint8_t *start;
    size_t used;
} block;

static void *take(block *b, size_t bytes) {
    void *piece = b->start ? b->start + b->used : NULL;
    b->used += ee_aligned(bytes);
    return piece;
}

static void take_axis(ee_axis *axis, block *b, uint32_t inputs, uint32_t outputs) {
    axis->taps = take(b, outputs * sizeof *axis->taps);
    axis->weights = take(b, ee_axis_capacity(inputs, outputs) * sizeof *axis->weights);
}

/* Axes from a frame to a square of `size` pixels. */
static void take_axes_in(ee_axes *axes, block *b, const edgeecho_stream_options *o, uint32_t size) {
    take_axis(&axes->rows, b, o->max_height, size);
    take_axis(&axes->columns, b, o->max_width, size);
}

/* The way back from the network to a frame. */
static void take_out(ee_mask_map *out, block *b, const edgeecho_stream_options *o, const ee_spec *spec) {
    const size_t numbers = spec->size_px + 1;
    out->size = spec->size_px;
    out->threshold = (uint8_t)spec->threshold;
    take_axis(&out->axes.rows, b, spec->size_px, o->max_height);
    take_axis(&out->axes.columns, b, spec->size_px, o->max_width);
    out->from = take(b, numbers * sizeof *out->from);
    out->beyond = take(b, numbers * sizeof *out->beyond);
    out->sums = take(b, numbers * sizeof *out->sums);
}

static void take_network(ee_frame_stream *network, block *b, const edgeecho_model *model) {
    const size_t pixels = (size_t)model->spec.size_px * model->spec.size_px;
    network->engine = model->engine;
    network->spec = &model->spec;
    network->frame = take(b, pixels);
    network->prob = take(b, pixels);
    network->states[0] = take(b, ee_state_bytes(&model->spec));
    network->states[1] = model->engine->kind->keeps_state ? network->states[0] : take(b, ee_state_bytes(&model->spec));
    network->binding_memory = take(b, model->engine->kind->binding_bytes(model->engine));
}

static void take_history(ee_frame_history *h, block *b, double fps, const ee_spec *spec) {
    h->size = spec->size_px;
    h->cells = ee_motion_cells(spec->size_px);
    const size_t cells = (size_t)h->cells * h->cells;
    h->capacity = ee_frame_history_capacity(fps, spec->after);
    h->sums = take(b, h->capacity * sizeof *h->sums);
    h->boxes = take(b, h->capacity * sizeof *h->boxes);
    h->motion = take(b, h->capacity * sizeof *h->motion);
    h->columns = take(b, h->size * sizeof *h->columns);
    for (int i = 0; i < 2; i++)
        h->pictures[i] = (ee_small){take(b, cells * sizeof(int32_t)), take(b, cells * sizeof(int32_t))};
}

/* What only a stream needs that searches its view. */
static void take_search(edgeecho_stream *s, block *b, const ee_frame_stream *looks) {
    const edgeecho_stream_options *o = &s->options;
    const size_t pixels = (size_t)s->scorer.size * s->scorer.size, frame = (size_t)o->max_width * o->max_height;
    ee_view_search *search = take(b, sizeof *search);
    ee_axes axes, grid_axes;
    s->live.search = search;
    take_axes_in(&axes, b, o, s->scorer.size);
    take_axes_in(&grid_axes, b, o, EE_GRID_PX);
    uint8_t *picture = take(b, pixels), *sampled = take(b, frame);
    const int searches_orientation = (o->search & EDGEECHO_SEARCH_ORIENTATION) != 0;
    s->live.inverted = searches_orientation ? take(b, frame) : NULL;
    s->inside = take(b, pixels);
    s->due = take(b, pixels * (s->model->spec.after + 1));
    s->due_views = take(b, (s->model->spec.after + 1) * sizeof *s->due_views);
    if (!search) /* bytes are counted */
        return;
    search->looks = *looks;
    search->axes = axes;
    search->grid.axes = grid_axes;
    search->picture = picture;
    search->sampled = sampled;
    search->sums = s->sums;
    search->scorer = &s->scorer;
    search->searches_region = (o->search & EDGEECHO_SEARCH_REGION) != 0;
    search->searches_orientation = searches_orientation;
    search->given_flip = (uint8_t)o->flip;
}

size_t ee_lay_out(edgeecho_stream *s, uint8_t *start) {
    block b = {start, ee_aligned(sizeof *s)};
    const ee_spec *spec = &s->model->spec;
    const edgeecho_stream_options *o = &s->options;
    const uint32_t size = spec->size_px;
    const size_t pixels = (size_t)size * size, room = o->max_width > size ? o->max_width : size;
    ee_frame_stream looks = {0};
    s->error = take(&b, sizeof *s->error);
    take_network(&s->network, &b, s->model);
    if (o->search)
        take_network(&looks, &b, s->model);
    s->network.error = looks.error = s->error;
    s->sums = take(&b, EE_SUM_ROOM * room * sizeof *s->sums);
    take_axes_in(&s->in, &b, o, size);
    take_out(&s->out, &b, o, spec);
    s->map = take(&b, pixels);
    s->meter_bytes = ee_beat_meter_size(o->max_width, o->max_height, o->fps);
    s->meter_memory = take(&b, s->meter_bytes);
    s->rows = take(&b, (o->max_height + 1) * sizeof *s->rows);
    s->clock.capacity = spec->after + 2;
    s->clock.waiting = take(&b, s->clock.capacity * sizeof *s->clock.waiting);
    s->scorer.size = size;
    s->scorer.threshold = (uint8_t)spec->threshold;
    s->scorer.mask = take(&b, pixels);
    s->scorer.runs = take(&b, (size_t)size * ((size + 1) / 2) * sizeof *s->scorer.runs);
    take_history(&s->history, &b, o->fps, spec);
    if (o->search || o->flip)
        s->picture = take(&b, pixels);
    if (o->search)
        take_search(s, &b, &looks);
    return b.used;
}
