"""Export: one checkpoint to graphs with proven predictions, in fp32 and int8, for ONNX Runtime and OpenVINO."""
