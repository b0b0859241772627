"""Profiles: time and MACs of each layer, the peak throughput of the machine, and estimates for boards."""
