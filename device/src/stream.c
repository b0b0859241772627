#include "stream.h"

#include <string.h>

#include "os.h"
#include "stream_memory.h"
#include "stream_options.h"
#include "trust/beat_judge.h"

void ee_set_meter(edgeecho_stream *s, uint32_t width, uint32_t height) {
    const edgeecho_stream_options *o = &s->options;
    s->meter = ee_beat_meter_init(s->meter_memory, s->meter_bytes, width, height, o->fps, o->row_mm, o->column_mm);
    ee_beat_meter_set_judge(s->meter, ee_judge_beat, &s->history);
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
    s->clock.fps = s->options.fps;
    ee_frame_clock_reset(&s->clock);
}

static edgeecho_status bind(ee_frame_stream *network) {
    const ee_buffers buffers = {network->frame, network->prob, {network->states[0], network->states[1]}};
    const ee_engine_kind *kind = network->engine->kind;
    memset(network->binding_memory, 0, kind->binding_bytes(network->engine));
    return kind->bind(network->engine, network->spec, &buffers, network->binding_memory, &network->binding,
                      network->error);
}

static void unbind(ee_frame_stream *network) {
    if (network->binding)
        network->engine->kind->unbind(network->binding);
    network->binding = NULL;
}

/* Lay out a stream in its block, and begin a cine. `plan` has model, options and memory, and the binding of the network
 * if there is one already; `looks` is that of the search's, NULL if there is none. Every byte behind the buffers of the
 * networks is set, so that its page is there before the first frame. */
static edgeecho_status arrange(edgeecho_stream *s, const edgeecho_stream *plan, ee_binding *looks) {
    uint8_t *const start = (uint8_t *)s;
    *s = *plan;
    const size_t bytes = ee_lay_out(s, start), kept = (size_t)((uint8_t *)s->sums - start);
    memset(s->sums, 0, bytes - kept);
    ee_lay_out(s, start); /* the search lies in what was set to 0 */
    edgeecho_status status = s->network.binding ? EDGEECHO_OK : bind(&s->network);
    if (status == EDGEECHO_OK && s->live.search) {
        s->live.search->looks.binding = looks;
        status = looks ? EDGEECHO_OK : bind(&s->live.search->looks);
    }
    ee_set_meter(s, s->options.max_width, s->options.max_height);
    ee_start_cine(s);
    return status;
}

static void unbind_all(edgeecho_stream *s) {
    unbind(&s->network);
    if (s->live.search)
        unbind(&s->live.search->looks);
}

/* Make a stream in memory of the caller, or of its own where that is NULL. */
static edgeecho_status make(edgeecho_model *model, edgeecho_stream *plan, void *memory, edgeecho_stream **out,
                            ee_error *error) {
    if (atomic_fetch_add(&model->streams, 1) >= EE_MAX_STREAMS) {
        atomic_fetch_sub(&model->streams, 1);
        ee_set_error(error, "the model has %d streams, no more can be", EE_MAX_STREAMS);
        return EDGEECHO_E_BUSY;
    }
    plan->owns_memory = !memory;
    edgeecho_stream *s = memory ? memory : ee_allocate(EE_ALIGNMENT, plan->memory_bytes);
    edgeecho_status status = EDGEECHO_E_MEMORY;
    if (s) {
        memset(s, 0, plan->memory_bytes);
        status = arrange(s, plan, NULL);
    }
    if (status == EDGEECHO_OK) {
        *out = s;
        return status;
    }
    if (s) {
        *error = *s->error;
        unbind_all(s);
    } else {
        ee_set_error(error, "out of memory: a stream of %zu bytes", plan->memory_bytes);
    }
    if (!memory)
        ee_free(s);
    atomic_fetch_sub(&model->streams, 1);
    return status;
}

edgeecho_status edgeecho_stream_create(edgeecho_model *model, const edgeecho_stream_options *options,
                                       edgeecho_stream **out) {
    edgeecho_stream plan = {.model = model};
    ee_error error;
    if (out)
        *out = NULL;
    if (!model || !out)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_status status = EDGEECHO_E_ARGUMENT;
    if (ee_read_stream_options(options, &plan.options, &error)) {
        const size_t needed = ee_lay_out(&plan, NULL), most = SIZE_MAX / 4, wanted = plan.options.memory_bytes;
        plan.memory_bytes = ee_aligned(wanted <= needed ? needed : wanted < most ? wanted : most);
        status = make(model, &plan, NULL, out, &error);
    }
    return status == EDGEECHO_OK ? status : ee_refuse_model(model, status, &error);
}

size_t edgeecho_stream_size(const edgeecho_model *model, const edgeecho_stream_options *options) {
    edgeecho_stream plan = {.model = (edgeecho_model *)model};
    ee_error error;
    if (!model)
        return 0;
    if (ee_read_stream_options(options, &plan.options, &error))
        return ee_lay_out(&plan, NULL);
    ee_refuse_model(model, EDGEECHO_E_ARGUMENT, &error);
    return 0;
}

edgeecho_status edgeecho_stream_init(edgeecho_model *model, const edgeecho_stream_options *options, void *memory,
                                     size_t size, edgeecho_stream **out) {
    edgeecho_stream plan = {.model = model, .memory_bytes = size};
    ee_error error;
    if (out)
        *out = NULL;
    if (!model || !out)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_status status = EDGEECHO_E_ARGUMENT;
    if (!memory || (uintptr_t)memory % EDGEECHO_ALIGNMENT) {
        ee_set_error(&error, "memory of a stream must be aligned to %d bytes, not NULL", EDGEECHO_ALIGNMENT);
    } else if (ee_read_stream_options(options, &plan.options, &error)) {
        const size_t needed = ee_lay_out(&plan, NULL);
        status = EDGEECHO_E_SIZE;
        if (size < needed)
            ee_set_error(&error, "these options need %zu bytes of memory, %zu were given", needed, size);
        else
            status = make(model, &plan, memory, out, &error);
    }
    return status == EDGEECHO_OK ? status : ee_refuse_model(model, status, &error);
}

void edgeecho_stream_destroy(edgeecho_stream *stream) {
    if (!stream)
        return;
    const int owns_memory = stream->owns_memory;
    unbind_all(stream);
    atomic_fetch_sub(&stream->model->streams, 1);
    if (owns_memory)
        ee_free(stream);
}

const char *edgeecho_stream_error(const edgeecho_stream *stream) {
    return stream ? stream->error->text : "no stream: NULL";
}

edgeecho_status edgeecho_reset(edgeecho_stream *stream) {
    if (!stream)
        return EDGEECHO_E_ARGUMENT;
    ee_start_cine(stream);
    return EDGEECHO_OK;
}

edgeecho_status edgeecho_reset_with(edgeecho_stream *s, const edgeecho_stream_options *options) {
    if (!s)
        return EDGEECHO_E_ARGUMENT;
    edgeecho_stream plan = {.model = s->model, .memory_bytes = s->memory_bytes, .owns_memory = s->owns_memory};
    ee_error error;
    if (!ee_read_stream_options(options, &plan.options, &error))
        return EE_REFUSE(s, EDGEECHO_E_ARGUMENT, "%s", error.text);
    const size_t needed = ee_lay_out(&plan, NULL);
    if (needed > s->memory_bytes)
        return EE_REFUSE(s, EDGEECHO_E_SIZE,
                         "these options need %zu bytes, the stream has %zu: create it with the memory_bytes of the "
                         "largest options that will come",
                         needed, s->memory_bytes);
    const edgeecho_stream_options before = s->options;
    ee_frame_stream looks = {0};
    if (s->live.search)
        looks = s->live.search->looks;
    if (!plan.options.search)
        unbind(&looks);
    plan.network.binding = s->network.binding;
    const edgeecho_status status = arrange(s, &plan, looks.binding);
    if (status != EDGEECHO_OK) { /* only a search that was not there before is bound */
        error = *s->error;
        plan.options = before;
        arrange(s, &plan, NULL);
        return EE_REFUSE(s, status, "%s", error.text);
    }
    return EDGEECHO_OK;
}
