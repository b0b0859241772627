#include "area_curve.h"

#include <math.h>

#include "constants.h"
#include "numbers.h"

double ee_smooth_at(const double *curve, size_t length, size_t index, size_t half) {
    if (half > index)
        half = index;
    if (half > length - 1 - index)
        half = length - 1 - index;
    /* Weights in whole numbers, divided once: sums over whole pixels are exact, so equal heights stay equal. */
    const double m = (double)half, most = 3 * m * m + 3 * m - 1;
    double sum = 3 * most * curve[index];
    for (size_t j = 1; j <= half; j++)
        sum += 3 * (most - 5 * (double)j * (double)j) * (curve[index + j] + curve[index - j]);
    return sum / ((2 * m + 3) * (2 * m + 1) * (2 * m - 1));
}

double ee_beat_range(const double *curve, size_t length) {
    double highest = curve[0], lowest = curve[0], fall = 0, rise = 0;
    for (size_t i = 1; i < length; i++) {
        highest = ee_larger(highest, curve[i]);
        lowest = ee_smaller(lowest, curve[i]);
        fall = ee_larger(fall, highest - curve[i]);
        rise = ee_larger(rise, curve[i] - lowest);
    }
    return ee_larger(ee_smaller(fall, rise), ee_larger(fall, rise) / 2);
}

static double mean_of(const double *curve, size_t length) {
    double sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += curve[i];
    return sum / (double)length;
}

double ee_roughness(const double *curve, size_t length) {
    const double mean = mean_of(curve, length), middle = ((double)length - 1) / 2;
    double square = 0, slope = 0, time_square = 0;
    for (size_t i = 0; i < length; i++) {
        const double time = (double)i - middle;
        square += curve[i] * curve[i];
        slope += time * (curve[i] - mean);
        time_square += time * time;
    }
    if (length > 1)
        slope /= time_square;
    double energy = 0, steps = 0;
    for (size_t i = 0; i < length; i++) {
        const double level = curve[i] - mean - ((double)i - middle) * slope;
        energy += level * level;
        if (i > 0) {
            const double step = curve[i] - curve[i - 1] - slope;
            steps += step * step;
        }
    }
    if (energy <= EE_MIN_CURVE_ENERGY * square)
        return 0;
    return steps / ((double)(length - 1) * 2 * energy / (double)length);
}

double ee_noise(const double *curve, size_t length, size_t half) {
    double sum = 0, square = 0; /* their mean is near 0: no digits are lost */
    for (size_t i = 0; i < length; i++) {
        const double off = curve[i] - ee_smooth_at(curve, length, i, half);
        sum += off;
        square += off * off;
    }
    const double mean = sum / (double)length;
    return sqrt(ee_larger(0, square / (double)length - mean * mean));
}

/* Correlation of the curve with itself so many samples later; 0 where less than two such lags are seen. */
static double autocorrelation(const double *curve, size_t length, size_t lag) {
    if (lag < 1 || length < EE_MIN_LAGS * lag)
        return 0;
    const size_t n = length - lag;
    const double now_mean = mean_of(curve, n), later_mean = mean_of(curve + lag, n);
    double now = 0, later = 0, both = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = curve[i] - now_mean, b = curve[i + lag] - later_mean;
        now += a * a;
        later += b * b;
        both += a * b;
    }
    return now * later > 0 ? both / sqrt(now * later) : 0;
}

bool ee_is_periodic(const double *curve, size_t length, size_t period) {
    return autocorrelation(curve, length, period) >= EE_MIN_PERIOD_CORRELATION &&
           autocorrelation(curve, length, period / 2) < EE_MAX_HALF_PERIOD_CORRELATION;
}
