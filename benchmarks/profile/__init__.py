"""Profiles: time and multiplications of each layer, the machine's ceiling, and estimates for boards."""
