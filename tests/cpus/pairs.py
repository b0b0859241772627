"""Run element-wise int8 operators on all 65,536 pairs of bytes: started once on each processor by `elementwise.py`.

Usage: pairs.py OUT OPERATOR.onnx...
"""

import sys

import numpy as np
import onnxruntime as ort


def main() -> None:
    """Write the results, uint8 (operators, 256, 256), in order of the files."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    b, a = np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 2)
    results = []
    for path in sys.argv[2:]:
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        results.append(session.run(None, {"a": a, "b": b})[0])
    np.save(sys.argv[1], np.stack(results))


if __name__ == "__main__":
    main()
