"""Engines: ONNX Runtime, OpenVINO and PyTorch behind one interface, one file each."""
