"""Engines: ONNX Runtime, OpenVINO, PyTorch and the native engine behind one interface, one file each."""
