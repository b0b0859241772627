/* Ejection fraction from the volumes at end-diastole and end-systole. */
#ifndef EE_MEASURE_EJECTION_FRACTION_H
#define EE_MEASURE_EJECTION_FRACTION_H

/* 100 (EDV - ESV) / EDV, on 0 to 100; `edv` is not 0. */
static inline double ee_ef_percent(double edv, double esv) {
    return 100 * (edv - esv) / edv;
}

#endif
