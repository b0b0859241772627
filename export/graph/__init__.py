"""Graphs: the clip graph of a checkpoint, and its rewrites to a stream, 3D convolutions, a fixed T, OpenVINO on ARM."""
