"""Graphs: the clip graph of a checkpoint, and its rewrites to a stream, to 3D convolutions, to a fixed T."""
