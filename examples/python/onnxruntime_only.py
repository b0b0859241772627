"""Run a model file with NumPy and ONNX Runtime alone, without EdgeEcho.

    python examples/python/onnxruntime_only.py clip.int8.onnx FRAMES.npy MASKS.npy

FRAMES.npy is uint8 (T, 112, 112): the square region around the sector, already at the network's size. For programs in
other languages: `docs/model-file.md` specifies the tensors, the region and the resampling. `edgeecho selftest` shows
whether a processor gives the proven answers.
"""

import sys

import numpy as np
import onnxruntime

THRESHOLD = 128
"""Least probability, of 255, that is cavity: `threshold` in the file's specification."""


def main(model_path: str, frames_path: str, masks_path: str) -> None:
    """Write the masks of one clip, uint8 {0, 1} (T, 112, 112)."""
    frames = np.load(frames_path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])
    (prob,) = session.run(["prob"], {"frames": frames[:, None]})
    np.save(masks_path, (prob[:, 0] >= THRESHOLD).astype(np.uint8))


if __name__ == "__main__":
    main(*sys.argv[1:])
