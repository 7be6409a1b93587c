"""The end of a network: nodes that are left to the host, and the outputs."""

from collections.abc import Sequence
from dataclasses import replace

import onnx

from bitfold.compiler.reading.constants import Constant
from bitfold.compiler.reading.joins import made_whole
from bitfold.compiler.reading.operators import LAYERS, QUANTISERS
from bitfold.compiler.reading.output import Tail, finish
from bitfold.compiler.reading.stored import Host, Value
from bitfold.compiler.reading.stream import Cat, Runtime, Stream
from bitfold.compiler.reading.values import Values
from bitfold.errors import ModelError, UnsupportedOp


def behind_host(node: onnx.NodeProto, host: Host, inputs: Sequence[Value | None]) -> Host:
    """What a node gives that reads `host`: the host does it, too.

    Raises: UnsupportedOp when the node is a layer, or reads another tensor as well.
    """
    if node.op_type in (*QUANTISERS, *LAYERS):
        raise UnsupportedOp(
            f"node {node.name!r} ({node.op_type}): stands behind {host.nodes[0]!r}, which is "
            "compiled only at the end of a network"
        )
    for each in inputs:
        other = isinstance(each, Host) and each.tensor != host.tensor
        if other or isinstance(each, Runtime):
            raise UnsupportedOp(
                f"node {node.name!r} ({node.op_type}): reads what stands behind "
                f"{host.nodes[0]!r}, which is left to the host, and another tensor of the "
                "network; the host gets one tensor. Join them in front of it"
            )
    return replace(host, nodes=(*host.nodes, node.name))


def read_outputs(outputs: list[str], values: Values) -> Tail:
    """End at the graph's outputs; several may be of one node that is left to the host.

    Constants among them say nothing of the input: Brevitas writes scales and widths there.
    """
    moving = [name for name in outputs if not isinstance(values.known.get(name), Constant)]
    outputs = moving or outputs
    found = [values.known.get(name) for name in outputs]
    value, tensor = found[0], outputs[0]
    host: tuple[str, ...] = ()
    if isinstance(value, Host):
        shared = all(isinstance(v, Host) and v.tensor == value.tensor for v in found)
        tensor, host = value.tensor, value.nodes
    else:
        shared = len(outputs) == 1
    if not shared:
        raise ModelError(
            f"the model has {len(outputs)} outputs, {', '.join(outputs[:4])}; one is compiled"
        )
    stream = values.known.get(tensor)
    if isinstance(stream, Cat):
        stream = made_whole(stream, tensor, tensor, values.builder)
    if not isinstance(stream, Stream):
        raise ModelError(f"output {tensor!r} does not depend on the input")
    return finish(stream, host, values.builder)
