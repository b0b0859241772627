"""An engine that gets no memory: a `MemoryError`, which commands report in one line."""

from typing import Any

import numpy as np
import pytest

from edgeecho.runtime.engines import onnxruntime_engine


def test_no_memory_is_a_memory_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def run(self, *_: Any) -> None:
            raise RuntimeError("Non-zero status code returned: std::bad_alloc")

    monkeypatch.setattr(onnxruntime_engine.ort, "InferenceSession", lambda *_, **__: Session())
    with pytest.raises(MemoryError, match="bad_alloc"):
        onnxruntime_engine.OrtEngine(b"", "graph", 1).infer(np.zeros((1, 1, 8, 8), np.uint8))
