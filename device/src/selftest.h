/* The self-test of a device file: a small cine whose frames are computed; docs/model-file.md specifies it. */
#ifndef EE_SELFTEST_H
#define EE_SELFTEST_H

#include "device_file.h"

/* Draw frame t of the test cine: EE_TEST_HEIGHT rows of EE_TEST_WIDTH pixels. */
void ee_test_frame(uint32_t t, uint8_t *pixels);

#endif
