"""Benchmarks: how parameters, MACs, file size, latency and memory are measured."""
