"""Quantization: calibration set, ranges, scales, and the search for an int8 graph that the acceptance test accepts."""
