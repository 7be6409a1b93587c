"""Nodes of QONNX's channels-last domain as standard nodes between two transpositions.

They read and write (N, H, W, C), and Conv's weights are (O, KH, KW, I); see qonnx,
custom_op/channels_last/base_wrapped_op.py. Transpositions cost nothing: they only rename.
"""

import onnx

DOMAIN = "qonnx.custom_op.channels_last"
WRAPPED = ("Conv", "MaxPool", "BatchNormalization")


def channels_first(model: onnx.ModelProto) -> None:
    """Rewrite every such node of `model` in place; the others are left for the reader to refuse."""
    if not any(node.domain == DOMAIN for node in model.graph.node):
        return
    ranks = {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*model.graph.input, *model.graph.value_info)
    }
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.domain != DOMAIN or node.op_type not in WRAPPED or not node.output:
            nodes.append(node)
        else:
            kernel = [list(a.ints) for a in node.attribute if a.name == "kernel_shape"]
            rank = len(kernel[0]) + 2 if kernel else ranks.get(node.input[0], 4)
            nodes += _wrapped(node, rank)
            ranks[node.output[0]] = rank
        if node.input and node.output and node.input[0] in ranks:
            ranks.setdefault(node.output[0], ranks[node.input[0]])
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _wrapped(node: onnx.NodeProto, rank: int) -> list[onnx.NodeProto]:
    first = [0, rank - 1, *range(1, rank - 1)]
    last = [0, *range(2, rank), 1]
    inner = onnx.NodeProto()
    inner.CopyFrom(node)
    inner.domain = ""
    inner.output[0] = f"{node.output[0]}%first"
    before = []
    for index in range(2 if node.op_type == "Conv" else 1):
        # A tensor may be read several times: the name holds reader and place.
        inner.input[index] = f"{node.output[0]}%in{index}"
        before.append(_transpose(node.input[index], inner.input[index], first))
    return [*before, inner, _transpose(inner.output[0], node.output[0], last)]


def _transpose(source: str, target: str, order: list[int]) -> onnx.NodeProto:
    return onnx.helper.make_node("Transpose", [source], [target], f"{target}%", perm=order)
