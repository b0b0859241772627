"""Quantization: calibration frames, ranges, scales, and the search for an int8 graph that is accepted."""
