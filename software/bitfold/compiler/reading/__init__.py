"""How `read_qonnx` works inside: the only place that knows ONNX. No stability promised."""
