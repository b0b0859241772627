/* Stand-in until the measurement is there: no beats. */
#ifndef EE_MEASURE_H
#define EE_MEASURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ee_meter {
    uint64_t frames;
} ee_meter;

static inline size_t ee_meter_size(uint32_t w, uint32_t h, double fps) { (void)w, (void)h, (void)fps; return sizeof(ee_meter); }
static inline void ee_meter_init(ee_meter *m, uint32_t w, uint32_t h, double fps, double r, double c) {(void)m, (void)w, (void)h, (void)fps, (void)r, (void)c;}
static inline int ee_meter_push(ee_meter *m, const uint8_t *mask, uint32_t w, uint32_t h, double a) {(void)m,(void)mask,(void)w,(void)h,(void)a; return 0;}
static inline int ee_meter_finish(ee_meter *m) {(void)m; return 0;}
#endif
