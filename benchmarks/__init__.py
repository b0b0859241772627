"""Benchmark on a CPU: parameters, MACs, file size, latency, memory and accuracy of networks.

The folders, each of which imports from those before it: `peers`, `profile` and `run`, then `compare` and `render`.
"""
