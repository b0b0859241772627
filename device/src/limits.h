/* Written by device/write_headers.py from constants of edgeecho/: change it there. */
#ifndef EE_LIMITS_H
#define EE_LIMITS_H

/* Least width and height of a frame, and of its part in the region, in pixels. */
#define EE_MIN_SIDE 16
/* Longest side of a region, as a multiple of the frame's longest side. */
#define EE_MAX_REGION 8
/* Weights of resampling are in units of 1 / (1 << EE_WEIGHT_BITS). */
#define EE_WEIGHT_BITS 11
/* Most state tensors of a device file. */
#define EE_MAX_STATE 64
/* Most frames of a self-test. */
#define EE_MAX_TEST_FRAMES 16
/* Width of the self-test's frames in pixels. */
#define EE_TEST_WIDTH 160
/* Height of the self-test's frames in pixels. */
#define EE_TEST_HEIGHT 144

#endif
