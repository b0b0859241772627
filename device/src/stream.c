#include "stream.h"

#include "os.h"
#include "struct_size.h"
#include "trust/beat_judge.h"

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

static void take_network(ee_frame_stream *network, block *b, const edgeecho_model *model) {
    const size_t pixels = (size_t)model->spec.size_px * model->spec.size_px;
    network->engine = model->engine;
    network->spec = &model->spec;
    network->frame = take(b, pixels);
    network->prob = take(b, pixels);
    network->states[0] = take(b, ee_state_bytes(&model->spec));
    network->states[1] = take(b, ee_state_bytes(&model->spec));
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
static void take_search(edgeecho_stream *s, block *b) {
    const edgeecho_stream_options *o = &s->options;
    const size_t pixels = (size_t)s->scorer.size * s->scorer.size, frame = (size_t)o->max_width * o->max_height;
    ee_view_search *search = take(b, sizeof *search);
    ee_frame_stream looks = {0};
    ee_axes axes, grid_axes;
    s->live.search = search;
    take_network(&looks, b, s->model);
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
    search->looks = looks;
    search->axes = axes;
    search->grid.axes = grid_axes;
    search->picture = picture;
    search->sampled = sampled;
    search->sums = s->sums;
    search->searches_region = (o->search & EDGEECHO_SEARCH_REGION) != 0;
    search->searches_orientation = searches_orientation;
    search->given_flip = (uint8_t)o->flip;
}

/* Lay out a stream in a block and return the number of bytes that it needs. */
static size_t lay_out(edgeecho_stream *s, uint8_t *start) {
    block b = {start, ee_aligned(sizeof *s)};
    const ee_spec *spec = &s->model->spec;
    const edgeecho_stream_options *o = &s->options;
    const uint32_t size = spec->size_px;
    const size_t pixels = (size_t)size * size, room = o->max_width > size ? o->max_width : size;
    take_network(&s->network, &b, s->model);
    s->mask = take(&b, (size_t)o->max_width * o->max_height);
    s->sums = take(&b, EE_SUM_ROWS * room * sizeof *s->sums);
    take_axes_in(&s->in, &b, o, size);
    take_axis(&s->out.rows, &b, size, o->max_height);
    take_axis(&s->out.columns, &b, size, o->max_width);
    s->meter_bytes = ee_beat_meter_size(o->max_width, o->max_height, o->fps);
    s->meter_memory = take(&b, s->meter_bytes);
    s->scorer.size = size;
    s->scorer.threshold = (uint8_t)spec->threshold;
    s->scorer.mask = take(&b, pixels);
    s->scorer.runs = take(&b, (size_t)size * ((size + 1) / 2) * sizeof *s->scorer.runs);
    take_history(&s->history, &b, o->fps, spec);
    if (o->search || o->flip) {
        s->picture = take(&b, pixels);
        s->map = take(&b, pixels);
    }
    if (o->search)
        take_search(s, &b);
    return b.used;
}

/* Read the options, as many as the program knows. 0 if one is out of bounds; the meter refuses rate and spacing. */
static int read_options(const edgeecho_stream_options *given, edgeecho_stream_options *o) {
    if (!given || !ee_is_size_known(given->struct_size, EE_FIRST_STREAM_OPTIONS, sizeof *o))
        return 0;
    ee_copy_out(o, given->struct_size, given);
    const int is_searched = (o->search & EDGEECHO_SEARCH_ORIENTATION) != 0;
    return o->max_width >= EE_MIN_SIDE && o->max_width <= EE_MAX_SIDE && o->max_height >= EE_MIN_SIDE &&
           o->max_height <= EE_MAX_SIDE && o->search <= (EDGEECHO_SEARCH_REGION | EDGEECHO_SEARCH_ORIENTATION) &&
           o->flip < (is_searched ? EDGEECHO_FLIP_NONE + 1 : EE_FLIPS);
}

int ee_set_meter(edgeecho_stream *s, uint32_t width, uint32_t height) {
    const edgeecho_stream_options *o = &s->options;
    s->meter = ee_beat_meter_init(s->meter_memory, s->meter_bytes, width, height, o->fps, o->row_mm, o->column_mm);
    if (s->meter)
        ee_beat_meter_set_judge(s->meter, ee_judge_beat, &s->history);
    return s->meter != NULL;
}

void ee_start_cine(edgeecho_stream *s) {
    ee_frame_stream_reset(&s->network);
    s->has_frames = s->has_ended = 0;
    s->flushes = s->model->spec.after;
    s->answers = s->area_px = s->beats_completed = 0;
    s->due_count = s->due_first = 0;
    s->verdict = (ee_verdict){0};
    s->was_fixed = 0;
    ee_frame_history_reset(&s->history);
    ee_beat_meter_reset(s->meter);
}

static edgeecho_status bind(ee_frame_stream *network, ee_error *error) {
    const ee_buffers buffers = {network->frame, network->prob, {network->states[0], network->states[1]}};
    network->error = error;
    return network->engine->kind->bind(network->engine, network->spec, &buffers, network->binding_memory,
                                       &network->binding, error);
}

static void unbind(ee_frame_stream *network) {
    if (network->binding)
        network->engine->kind->unbind(network->binding);
}

edgeecho_status edgeecho_stream_create(edgeecho_model *model, const edgeecho_stream_options *options,
                                       edgeecho_stream **out) {
    if (!out)
        return EDGEECHO_E_ARGUMENT;
    *out = NULL;
    edgeecho_stream plan = {.model = model, .options = {.struct_size = sizeof plan.options}};
    if (!model || !read_options(options, &plan.options))
        return EDGEECHO_E_ARGUMENT;
    if (!ee_beat_meter_size(plan.options.max_width, plan.options.max_height, plan.options.fps))
        return EDGEECHO_E_ARGUMENT;
    if (atomic_fetch_add(&model->streams, 1) >= EE_MAX_STREAMS) {
        atomic_fetch_sub(&model->streams, 1);
        return EDGEECHO_E_BUSY;
    }
    const size_t bytes = lay_out(&plan, NULL);
    edgeecho_status status = EDGEECHO_E_MEMORY;
    edgeecho_stream *stream = ee_allocate(EE_ALIGNMENT, bytes);
    if (stream) {
        memset(stream, 0, bytes); /* every page is there before the first frame */
        lay_out(&plan, (uint8_t *)stream);
        *stream = plan;
        if (stream->live.search)
            stream->live.search->scorer = &stream->scorer;
        status =
            ee_set_meter(stream, plan.options.max_width, plan.options.max_height) ? EDGEECHO_OK : EDGEECHO_E_ARGUMENT;
    }
    if (status == EDGEECHO_OK)
        status = bind(&stream->network, &stream->error);
    if (status == EDGEECHO_OK && stream->live.search)
        status = bind(&stream->live.search->looks, &stream->error);
    if (status != EDGEECHO_OK) {
        if (stream)
            unbind(&stream->network);
        ee_free(stream);
        atomic_fetch_sub(&model->streams, 1);
        return status;
    }
    ee_start_cine(stream);
    *out = stream;
    return EDGEECHO_OK;
}

void edgeecho_stream_destroy(edgeecho_stream *stream) {
    if (!stream)
        return;
    unbind(&stream->network);
    if (stream->live.search)
        unbind(&stream->live.search->looks);
    atomic_fetch_sub(&stream->model->streams, 1);
    ee_free(stream);
}

edgeecho_status edgeecho_reset(edgeecho_stream *stream) {
    if (!stream)
        return EDGEECHO_E_ARGUMENT;
    ee_start_cine(stream);
    return EDGEECHO_OK;
}
