/* The native engine: it runs the plan of a native device file with kernels of its own, and needs no other library. */
#include "native.h"

#include <stdio.h>
#include <string.h>

#include "../../os.h"

struct ee_binding {
    ee_native_run run;
};

static void close_engine(ee_engine *engine) {
    ee_free(engine);
}

static edgeecho_status open_engine(const ee_spec *spec, const uint8_t *graph, size_t size,
                                   const ee_engine_options *options, ee_engine **out, ee_error *error) {
    uint32_t at = 0, count = 0;
    if (!ee_plan_constants(graph, size, &at, &count)) {
        ee_set_error(error, "the plan in the device file is of another version, or its header is out of bounds");
        return EDGEECHO_E_MODEL;
    }
    const size_t own = ee_aligned(sizeof(ee_native_engine));
    ee_native_engine *engine = ee_allocate(EE_ALIGNMENT, own + ee_aligned(count));
    if (!engine) {
        ee_set_error(error, "out of memory for a plan of %lu bytes", (unsigned long)count);
        return EDGEECHO_E_MEMORY;
    }
    memset(engine, 0, own);
    uint8_t *constants = (uint8_t *)engine + own;
    memcpy(constants, graph + at, count);
    engine->base.kind = &ee_native;
    engine->constants = constants;
    engine->kernels = ee_native_kernels_of(options->kernels);
    edgeecho_status status = EDGEECHO_E_ENGINE;
    if (!engine->kernels)
        ee_set_error(error, "this processor has not the kernels '%s'", options->kernels);
    else
        status = ee_plan_read(spec, graph, size, constants, &engine->plan, error);
    if (status != EDGEECHO_OK) {
        close_engine(&engine->base);
        return status;
    }
    snprintf(engine->base.description, sizeof engine->base.description, "EdgeEcho native, %s", engine->kernels->name);
    *out = &engine->base;
    return EDGEECHO_OK;
}

static size_t binding_bytes(const ee_engine *engine) {
    return ee_aligned(sizeof(ee_binding)) + ((const ee_native_engine *)engine)->plan.arena_bytes;
}

static edgeecho_status bind(const ee_engine *opened, const ee_spec *spec, const ee_buffers *buffers, void *memory,
                            ee_binding **out, ee_error *error) {
    const ee_native_engine *engine = (const ee_native_engine *)opened;
    ee_binding *binding = memory;
    (void)spec, (void)error;
    binding->run = (ee_native_run){.plan = &engine->plan,
                                   .kernels = engine->kernels,
                                   .frame = buffers->frame,
                                   .prob = buffers->prob,
                                   .state = buffers->states[0],
                                   .arena = (uint8_t *)memory + ee_aligned(sizeof *binding)};
    *out = binding;
    return EDGEECHO_OK;
}

static void unbind(ee_binding *binding) {
    (void)binding;
}

static edgeecho_status run(const ee_engine *engine, ee_binding *binding, int from, ee_error *error) {
    (void)engine, (void)from, (void)error;
    ee_native_run_frame(&binding->run);
    return EDGEECHO_OK;
}

const ee_engine_kind ee_native = {
    .reads = ee_is_plan,
    .keeps_state = 1,
    .open = open_engine,
    .close = close_engine,
    .binding_bytes = binding_bytes,
    .bind = bind,
    .unbind = unbind,
    .run = run,
};
