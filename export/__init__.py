"""Export: one checkpoint to graphs that are proven to say the same, in fp32 and int8, ONNX and OpenVINO."""
