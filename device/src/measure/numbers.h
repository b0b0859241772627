/* The larger and the smaller of two numbers, neither of them NAN: `fmax` and `fmin` are calls, for NAN's sake. */
#ifndef EE_MEASURE_NUMBERS_H
#define EE_MEASURE_NUMBERS_H

static inline double ee_larger(double a, double b) {
    return a > b ? a : b;
}

static inline double ee_smaller(double a, double b) {
    return a < b ? a : b;
}

#endif
