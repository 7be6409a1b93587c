"""Graphs on disk (graph.json + graph.npz) and as a listing for people."""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bitfold.errors import ArtefactError
from bitfold.files import digest, read_json, write_bytes, write_json
from bitfold.ir.graph import Graph, Node, Op, ValueMap
from bitfold.ir.ops import AddBias, Conv, Dense, Flatten, Input, MaxPool, Threshold, Weights
from bitfold.ir.types import IntType
from bitfold.ir.verify import verify

KIND = "graph"
SCHEMA = 1
Arrays = Mapping[str, NDArray[Any]]
_DAMAGE = (OSError, KeyError, ValueError, TypeError, AssertionError, IndexError, BadZipFile)


def save(graph: Graph, folder: Path) -> None:
    """Write graph.npz, then graph.json with its digest, into `folder`; each file atomically."""
    arrays: dict[str, NDArray[Any]] = {}
    nodes = [_describe(i, node, arrays) for i, node in enumerate(graph.nodes)]
    for border in ("input", "output"):
        value_map: ValueMap = getattr(graph, f"{border}_map")
        arrays[f"{border}.scale"], arrays[f"{border}.bias"] = value_map.scale, value_map.bias
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(folder / "graph.npz", buffer.getvalue())
    write_json(
        folder / "graph.json",
        {
            "kind": KIND,
            "schema": SCHEMA,
            "arrays_sha256": digest(folder / "graph.npz"),
            "input": graph.input,
            "output": graph.output,
            "input_range": graph.input_range,
            "input_by_sign": graph.input_by_sign,
            "notes": graph.notes,
            "nodes": nodes,
        },
    )


def load(folder: Path) -> Graph:
    """Read what `save` wrote; no code in the files is ever run.

    Raises: ArtefactError when a file is missing, damaged, of another version, or the two
    files do not belong together.
    """
    value = read_json(folder / "graph.json", KIND, SCHEMA)
    path = folder / "graph.npz"
    try:
        if digest(path) != value["arrays_sha256"]:
            raise ArtefactError(
                f"{path}: not the arrays graph.json was written with; make it again"
            )
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        graph = Graph(
            nodes=tuple(_rebuild(i, entry, arrays) for i, entry in enumerate(value["nodes"])),
            input=value["input"],
            output=value["output"],
            input_map=ValueMap(arrays["input.scale"], arrays["input.bias"]),
            output_map=ValueMap(arrays["output.scale"], arrays["output.bias"]),
            input_range=tuple(value["input_range"]) if value["input_range"] else None,
            input_by_sign=value["input_by_sign"],
            notes=tuple(value["notes"]),
        )
        verify(graph, after="load")
    except FileNotFoundError:
        raise ArtefactError(f"{path}: not found; it belongs to graph.json beside it") from None
    except _DAMAGE as error:
        text = " ".join(str(error).split())[:200]
        raise ArtefactError(f"{folder}: damaged graph ({text}); compile the model again") from None
    return graph


def show(graph: Graph) -> str:
    """One line a node: name, operation with its sizes, type."""
    rows = [(node.name, _summary(node.op), str(node.type)) for node in graph.nodes]
    wide = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = [f"{name:<{wide[0]}}  {what:<{wide[1]}}  {kind}" for name, what, kind in rows]
    lines.append(f"output: {graph.output}")
    return "\n".join([*lines, *(f"note: {note}" for note in graph.notes)])


def _summary(op: Op) -> str:
    match op:
        case Conv():
            size = "x".join(map(str, op.kernel))
            return f"Conv {size} stride {op.stride} pads {op.pads} {_kind(op.weights)}"
        case Dense():
            return f"Dense {_kind(op.weights)}"
        case Threshold():
            return f"Threshold {op.thresholds.shape[0]}x{op.thresholds.shape[1]}"
        case MaxPool():
            return f"MaxPool {op.kernel} stride {op.stride} pads {op.pads}"
        case _:
            return type(op).__name__


def _kind(weights: Weights) -> str:
    shape = "x".join(map(str, weights.values.shape))
    return f"w {'bipolar' if weights.bipolar else f'int{weights.bits}'} {shape}"


def _describe(index: int, node: Node, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """A node as JSON; its arrays go to `arrays` under '<index>.<field>'."""
    entry: dict[str, Any] = {"name": node.name, "type": asdict(node.type)}
    entry["op"] = type(node.op).__name__
    fields = dict(vars(node.op))
    match node.op:
        case Input():
            fields = {}
        case Conv() | Dense():
            weights: Weights = fields.pop("weights")
            arrays[f"{index}.weights"] = weights.values
            fields |= {"w_bits": weights.bits, "w_bipolar": weights.bipolar}
        case AddBias():
            arrays[f"{index}.bias"] = fields.pop("bias")
        case Threshold():
            arrays[f"{index}.thresholds"] = fields.pop("thresholds")
    return entry | {"fields": fields}


def _rebuild(index: int, entry: Mapping[str, Any], arrays: Arrays) -> Node:
    kind = IntType(**{**entry["type"], "shape": tuple(entry["type"]["shape"])})
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in entry["fields"].items()}
    return Node(entry["name"], _REBUILD[entry["op"]](f"{index}.", kind, fields, arrays), kind)


def _linear(make: type[Conv] | type[Dense]) -> "Rebuild":
    def rebuild(key: str, kind: IntType, fields: dict[str, Any], arrays: Arrays) -> Op:
        bits, bipolar = fields.pop("w_bits"), fields.pop("w_bipolar")
        return make(weights=Weights(arrays[key + "weights"], bits, bipolar), **fields)

    return rebuild


Rebuild = Callable[[str, IntType, dict[str, Any], Arrays], Op]
_REBUILD: Mapping[str, Rebuild] = {
    "Input": lambda key, kind, fields, arrays: Input(kind),
    "Flatten": lambda key, kind, fields, arrays: Flatten(**fields),
    "MaxPool": lambda key, kind, fields, arrays: MaxPool(**fields),
    "Conv": _linear(Conv),
    "Dense": _linear(Dense),
    "AddBias": lambda key, kind, fields, arrays: AddBias(bias=arrays[key + "bias"], **fields),
    "Threshold": lambda key, kind, fields, arrays: Threshold(
        thresholds=arrays[key + "thresholds"], **fields
    ),
}
