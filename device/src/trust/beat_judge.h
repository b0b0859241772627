/* Judgement of each beat by its own frames: Python's `beat_judge.py`. */
#ifndef EE_BEAT_JUDGE_H
#define EE_BEAT_JUDGE_H

#include "../measure/beat_detector.h"
#include "../measure/beat_meter.h"
#include "frame_history.h"

/* Set the reasons of a beat; those that are severe leave it out. `history` is an ee_frame_history. */
void ee_judge_beat(void *history, const ee_beat *beat, double elongation, ee_beat_measurement *measured);

#endif
