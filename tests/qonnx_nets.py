"""Small QONNX networks written node by node, for the tests of the reader."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


class Net:
    """A chain under construction; each method appends nodes behind the last tensor."""

    def __init__(self, *shape, batch=1, opset=13, domain=QONNX):
        self.shape, self.batch, self.opset, self.domain = shape, batch, opset, domain
        self.nodes, self.constants, self.annotations = [], [], []
        self.last = "x"
        self.count = 0

    def constant(self, value, dtype=np.float32):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op, *arguments, name=None, domain="", source=None, **attributes):
        """`arguments` are constants, or names of tensors."""
        self.count += 1
        out = f"t{self.count}"
        names = [a if isinstance(a, str) else self.constant(a) for a in arguments]
        inputs = [source or self.last, *names]
        name = name or f"{op}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [out], name, domain=domain, **attributes))
        if source is None:
            self.last = out
        return self if source is None else out

    def quant(self, bits, scale, *, signed=0, narrow=0, zero=0.0, mode="ROUND", **more):
        return self.node(
            "Quant",
            *(scale, zero, bits),
            domain=self.domain,
            **{"signed": signed, "narrow": narrow, "rounding_mode": mode, **more},
        )

    def bipolar(self, scale=1.0, **more):
        return self.node("BipolarQuant", scale, domain=self.domain, **more)

    def weights(self, w, bits, scale, *, signed=1, narrow=1):
        """The name of quantised weights; bits 0: bipolar."""
        stored = self.constant(w)
        if bits == 0:
            return self.bipolar(scale, source=stored)
        return self.quant(bits, scale, signed=signed, narrow=narrow, source=stored)

    def conv(self, w, bits, scale, *bias, signed=1, narrow=1, **attributes):
        name = self.weights(w, bits, scale, signed=signed, narrow=narrow)
        return self.node("Conv", name, *bias, **attributes)

    def gemm(self, w, bits, scale, *bias, narrow=1, **attributes):
        """w (outputs, inputs)."""
        name = self.weights(w, bits, scale, narrow=narrow)
        return self.node("Gemm", name, *bias, transB=1, **attributes)

    def matmul(self, w, bits, scale, **more):
        """w (inputs, outputs)."""
        return self.node("MatMul", self.weights(w, bits, scale), **more)

    def bn(self, gamma, beta, mean, var):
        return self.node("BatchNormalization", gamma, beta, mean, var)

    def shape_node(self, op, values=None, **attributes):
        arguments = [] if values is None else [self.constant(values, np.int64)]
        return self.node(op, *arguments, **attributes)

    def annotate(self, datatype):
        note = onnx.TensorAnnotation(tensor_name="x")
        note.quant_parameter_tensor_names.add(key="finn_datatype", value=datatype)
        self.annotations.append(note)
        return self

    def model(self, rank=2):
        shape = [self.batch, *self.shape]
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [
                helper.make_tensor_value_info(
                    self.last, TensorProto.FLOAT, [f"d{i}" for i in range(rank)]
                )
            ],
            self.constants,
        )
        graph.quantization_annotation.extend(self.annotations)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(self.domain, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def save(self, folder: Path, rank=2) -> Path:
        path = folder / "model.onnx"
        path.write_bytes(self.model(rank).SerializeToString())
        return path


def grid(rng, shape, scale, low=-1, high=20):
    """Reals on half steps of a quantiser with `scale`, so that ties occur."""
    return (rng.integers(2 * low, 2 * high, shape) * (scale / 2)).astype(np.float32)


def random_bn(rng, channels):
    """gamma of both signs, 0 at the first channel."""
    gamma = rng.normal(size=channels)
    gamma[0] = 0
    return (gamma, rng.normal(size=channels), rng.normal(size=channels), rng.random(channels) + 0.5)
