#include "plan.h"

#include <string.h>

#define ANSWER_PLACE 0xFFFFFFFFu
enum { STATE_PLACE = 2 /* of state tensor 1; 0 is the clock */ };

typedef struct header {
    uint32_t plan_bytes, tensors, steps, tensors_at, steps_at, constants_at, arena_bytes, constants_bytes;
} header;

static uint32_t u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static float f32(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int ee_is_plan(const uint8_t *bytes, size_t size) {
    return size >= EE_PLAN_HEADER_BYTES && memcmp(bytes, "EENATIVE", 8) == 0;
}

/* Read the header; 0 if a part of the plan does not lie where the parts before it end. */
static int read_header(const uint8_t *bytes, size_t size, header *h) {
    if (!ee_is_plan(bytes, size) || u32(bytes + 8) != EE_PLAN_VERSION)
        return 0;
    *h = (header){u32(bytes + 12), u32(bytes + 16), u32(bytes + 20), u32(bytes + 24),
                  u32(bytes + 28), u32(bytes + 32), u32(bytes + 36), u32(bytes + 40)};
    if (h->tensors < 2 || h->tensors > EE_PLAN_MAX_TENSORS || h->steps < 2 || h->steps > EE_PLAN_MAX_STEPS)
        return 0;
    const uint32_t steps_at = EE_PLAN_HEADER_BYTES + EE_PLAN_TENSOR_BYTES * h->tensors;
    const uint32_t end = steps_at + EE_PLAN_STEP_BYTES * h->steps;
    return h->tensors_at == EE_PLAN_HEADER_BYTES && h->steps_at == steps_at && h->constants_at == ee_aligned(end) &&
           h->plan_bytes <= size && h->constants_at <= h->plan_bytes &&
           h->constants_bytes == h->plan_bytes - h->constants_at && h->arena_bytes <= EE_PLAN_MAX_ARENA_BYTES;
}

int ee_plan_constants(const uint8_t *bytes, size_t size, uint32_t *at, uint32_t *count) {
    header h;
    if (!read_header(bytes, size, &h))
        return 0;
    *at = h.constants_at;
    *count = h.constants_bytes;
    return 1;
}

/* Find a tensor's memory in the state, of which each ring is one tensor of slots; 0 if they do not fit together. */
static int place_in_state(const ee_spec *spec, uint32_t number, ee_native_tensor *t) {
    if (number < 1 || number >= spec->states || t->slots > 255)
        return 0;
    const ee_tensor *ring = &spec->state[number];
    t->ring = number - 1;
    t->place = EE_IN_STATE;
    t->at = 0;
    for (uint32_t i = 0; i < number; i++)
        t->at += ee_aligned(spec->state[i].bytes);
    return ring->type == EE_UINT8 && ring->rank == 2 && ring->shape[0] == (int64_t)t->slots &&
           ring->shape[1] == (int64_t)t->slot_bytes && ring->zero_point == t->zero_point;
}

static int read_tensor(const ee_spec *spec, const uint8_t *at, uint32_t arena_bytes, ee_native_tensor *t) {
    const uint32_t place = u32(at), offset = u32(at + 4);
    *t = (ee_native_tensor){.height = u32(at + 8),
                            .width = u32(at + 12),
                            .channels = u32(at + 16),
                            .halo = u32(at + 20),
                            .zero_point = u32(at + 24),
                            .slots = u32(at + 28)};
    if (t->height < 1 || t->height > EE_MAX_SIZE_PX || t->width < 1 || t->width > EE_MAX_SIZE_PX || t->channels < 1 ||
        t->channels > EE_PLAN_MAX_CHANNELS || t->halo > EE_PLAN_MAX_KERNEL || t->zero_point > 255 || t->slots < 1)
        return 0;
    t->row_bytes = (size_t)(t->width + 2 * t->halo) * t->channels;
    const uint64_t bytes = (uint64_t)t->row_bytes * (t->height + 2 * t->halo) + EE_PLAN_SLACK;
    if (bytes > EE_MAX_AXIS)
        return 0;
    t->slot_bytes = ee_aligned((size_t)bytes);
    if (place >= STATE_PLACE && place != ANSWER_PLACE)
        return offset == 0 && place - 1 < EE_MAX_STATE && place_in_state(spec, place - 1, t);
    t->place = place == ANSWER_PLACE ? EE_IS_ANSWER : EE_IN_ARENA;
    t->at = offset;
    if (place == ANSWER_PLACE)
        return t->slots == 1 && !t->halo && !offset && t->channels == 1 && t->height == spec->size_px &&
               t->width == spec->size_px;
    return place == 0 && t->slots == 1 && offset % EE_ALIGNMENT == 0 && offset <= arena_bytes &&
           t->slot_bytes <= arena_bytes - offset;
}

/* Bytes of constants from `at` on, which must lie in the plan's; NULL if they do not. */
static const uint8_t *constants_at(const header *h, const uint8_t *constants, uint32_t at, uint64_t bytes) {
    if (at < h->constants_at || at % EE_ALIGNMENT || at - h->constants_at > h->constants_bytes ||
        bytes > h->constants_bytes - (at - h->constants_at))
        return NULL;
    return constants + (at - h->constants_at);
}

/* Read a step's numbers and find its constants; 0 if one is out of its bounds. */
static int read_step(const header *h, const uint8_t *at, const uint8_t *constants, const ee_plan *plan,
                     ee_native_step *s) {
    const uint32_t kind = u32(at);
    *s = (ee_native_step){.kind = (ee_step_kind)kind, .output = u32(at + 4), .sources = u32(at + 8)};
    if (kind < EE_STEP_FRAME || kind > EE_STEP_HEAD || s->output >= plan->tensors || s->sources > EE_PLAN_MAX_SOURCES)
        return 0;
    for (uint32_t i = 0; i < s->sources; i++) {
        s->source[i] = u32(at + 12 + 4 * i) & 0xFFFF, s->age[i] = u32(at + 12 + 4 * i) >> 16;
        if (s->source[i] >= plan->tensors || s->age[i] >= plan->tensor[s->source[i]].slots)
            return 0;
    }
    const uint8_t *numbers = at + 12 + 4 * EE_PLAN_MAX_SOURCES;
    const uint64_t blocks = (plan->tensor[s->output].channels + EE_BLOCK - 1) / EE_BLOCK;
    if (kind == EE_STEP_CONVOLUTION) {
        s->kernel = u32(numbers), s->stride = u32(numbers + 4), s->pad = u32(numbers + 8), s->quads = u32(numbers + 12);
        if (s->kernel < 1 || s->kernel > EE_PLAN_MAX_KERNEL || s->quads > EE_PLAN_MAX_KERNEL * EE_PLAN_MAX_CHANNELS)
            return 0;
        const uint64_t weights = blocks * ee_plan_runs(s) * s->quads * EE_BLOCK * EE_QUAD;
        const uint8_t *scaling = constants_at(h, constants, u32(numbers + 20), blocks * EE_BLOCK * 12);
        s->weights = (const int8_t *)constants_at(h, constants, u32(numbers + 16), weights);
        if (!scaling || !s->weights)
            return 0;
        s->bias = (const int32_t *)(const void *)scaling;
        s->bias_128 = s->bias + blocks * EE_BLOCK;
        s->scale = (const float *)(const void *)(s->bias_128 + blocks * EE_BLOCK);
    } else if (kind == EE_STEP_ADDITION) {
        s->factor = u32(numbers), s->ratio[0] = f32(u32(numbers + 4)), s->ratio[1] = f32(u32(numbers + 8));
    } else if (kind == EE_STEP_HEAD) {
        s->factor = u32(numbers);
        s->table = constants_at(h, constants, u32(numbers + 4), 256);
        return s->table != NULL;
    }
    return 1;
}

uint32_t ee_plan_runs(const ee_native_step *step) {
    return step->sources > 1 ? step->sources : step->kernel;
}

/* Whether the spec's first state tensor is the clock of so many rings. */
static int has_clock(const ee_spec *spec, uint32_t rings) {
    return rings ? spec->states == rings + 1 && spec->state[0].type == EE_UINT8 && spec->state[0].bytes == rings
                 : spec->states == 0;
}

edgeecho_status ee_plan_read(const ee_spec *spec, const uint8_t *bytes, size_t size, const uint8_t *constants,
                             ee_plan *plan, ee_error *error) {
    header h;
    if (!read_header(bytes, size, &h)) {
        ee_set_error(error, "the plan in the device file is of another version, or its header is out of bounds");
        return EDGEECHO_E_MODEL;
    }
    plan->tensors = h.tensors, plan->steps = h.steps, plan->rings = 0, plan->arena_bytes = h.arena_bytes;
    for (uint32_t i = 0; i < h.tensors; i++) {
        ee_native_tensor *t = &plan->tensor[i];
        if (!read_tensor(spec, bytes + h.tensors_at + EE_PLAN_TENSOR_BYTES * i, h.arena_bytes, t)) {
            ee_set_error(error, "tensor %u of the plan is out of its bounds", (unsigned)i);
            return EDGEECHO_E_MODEL;
        }
        plan->rings += t->place == EE_IN_STATE;
    }
    if (!has_clock(spec, plan->rings)) {
        ee_set_error(error, "the state in the header of the device file is not that of the plan");
        return EDGEECHO_E_MODEL;
    }
    for (uint32_t i = 0; i < h.steps; i++) {
        const uint8_t *at = bytes + h.steps_at + EE_PLAN_STEP_BYTES * i;
        if (!read_step(&h, at, constants, plan, &plan->step[i])) {
            ee_set_error(error, "step %u of the plan, of kind %u, is unknown or out of its bounds", (unsigned)i,
                         (unsigned)u32(at));
            return EDGEECHO_E_MODEL;
        }
        if (!ee_plan_check_step(plan, i, error))
            return EDGEECHO_E_MODEL;
    }
    if (plan->step[0].kind != EE_STEP_FRAME || plan->step[h.steps - 1].kind != EE_STEP_HEAD) {
        ee_set_error(error, "the plan does not begin with the frame and end with the head");
        return EDGEECHO_E_MODEL;
    }
    return EDGEECHO_OK;
}
