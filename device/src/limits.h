/* Written by device/write_headers.py from constants of edgeecho/: change it there. */
#ifndef EE_LIMITS_H
#define EE_LIMITS_H

/* Least width and height of a frame, and of its part in the region, in pixels. */
#define EE_MIN_SIDE 16
/* Longest side of a region, as a multiple of the frame's longest side. */
#define EE_MAX_REGION 8
/* Least part of the smaller of region and frame that lies in the other. */
#define EE_MIN_OVERLAP_FRACTION 0.25
/* Weights of resampling are in units of 1 / (1 << EE_WEIGHT_BITS). */
#define EE_WEIGHT_BITS 11
/* Least side of the network's frames. */
#define EE_MIN_SIZE_PX 16
/* Largest side of the network's frames. */
#define EE_MAX_SIZE_PX 1024
/* Number that the side of the network's frames is a multiple of. */
#define EE_SIZE_STEP_PX 16
/* Most frames before and after a frame that its answer depends on. */
#define EE_MAX_CONTEXT_FRAMES 256
/* Most state tensors of a device file. */
#define EE_MAX_STATE 64
/* Most bytes of all state tensors. */
#define EE_MAX_STATE_BYTES 268435456
/* Longest axis of a state tensor. */
#define EE_MAX_AXIS 1048575
/* Most bytes of a device file. */
#define EE_MAX_FILE_BYTES 1073741824
/* Most frames of a self-test. */
#define EE_MAX_TEST_FRAMES 16
/* A pixel is strongly coloured if the largest and the smallest of its channels differ by more levels than this. */
#define EE_MIN_COLOUR_DIFFERENCE 60
/* Least part of the frames in which a pixel of colour Doppler or of a coloured overlay is strongly coloured. */
#define EE_MIN_COLOURED_FRACTION 0.1
/* Largest number of frames that are searched for colour. */
#define EE_MAX_COLOUR_FRAMES 32
/* About the number of frames of a whole cine in which fans are searched. */
#define EE_CINE_FRAMES 16
/* Number of the test cine that the self-test draws. */
#define EE_TEST_CINE 1
/* Width of the self-test's frames in pixels. */
#define EE_TEST_WIDTH 160
/* Height of the self-test's frames in pixels. */
#define EE_TEST_HEIGHT 144

/* Header of a device file: newest version, offsets and sizes in bytes, codes of its fields. */
#define EE_FILE_VERSION 2
#define EE_FILE_DIGEST_AT 24
#define EE_FILE_SPEC_AT 56
#define EE_FILE_TEXTS_AT 104
#define EE_FILE_TENSORS_AT 552
#define EE_FILE_TENSOR_BYTES 64
#define EE_FILE_SELFTEST_BYTES 16
#define EE_FILE_ANSWER_BYTES 72
#define EE_FORM_CLIP 1
#define EE_FORM_STREAM 2
#define EE_PRECISION_FP32 1
#define EE_PRECISION_INT8 2
#define EE_RESAMPLING_Q11_BOX_BILINEAR 1
#define EE_TYPE_UINT8 1
#define EE_TYPE_FLOAT32 2

#endif
