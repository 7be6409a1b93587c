"""Graphs on disk (graph.json + graph.npz) and as a listing for people."""

import io
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bitfold.errors import ArtefactError
from bitfold.files import digest, read_json, write_bytes, write_json
from bitfold.ir.graph import Graph, Node, Op, ValueMap
from bitfold.ir.ops import OPS, Conv, Input, MaxPool, SumPool, Weights
from bitfold.ir.types import IntType
from bitfold.ir.verify import verify

KIND = "graph"
SCHEMA = 2
# Fields of a graph about its input, plain values all.
_INPUT = ("input_range", "input_by_sign", "input_rounding", "input_shape", "input_order")
Arrays = Mapping[str, NDArray[Any]]
_DAMAGE = (
    *(OSError, KeyError, ValueError, TypeError, AssertionError, IndexError, BadZipFile),
    *(AttributeError, ArithmeticError),
)


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
            **{name: getattr(graph, name) for name in _INPUT},
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
            nodes=tuple(_rebuild(entry, arrays) for entry in value["nodes"]),
            input=value["input"],
            output=value["output"],
            input_map=ValueMap(arrays["input.scale"], arrays["input.bias"]),
            output_map=ValueMap(arrays["output.scale"], arrays["output.bias"]),
            **{name: _value(value[name], arrays) for name in _INPUT},
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
    """The operation and what it is set to: weights and thresholds as sizes, the rest as it is."""
    parts = [type(op).__name__]
    if isinstance(op, Conv | MaxPool | SumPool):
        parts.append("x".join(map(str, op.kernel)))
    assert is_dataclass(op), "every operation is one"
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, Weights):
            kind = "bipolar" if value.bipolar else f"int{value.bits}"
            parts.append(f"w {kind} {'x'.join(map(str, value.values.shape))}")
        elif field.name == "flip":
            parts.append("" if value is None else f"flip {int(value.sum())}")
        elif isinstance(value, np.ndarray):
            parts.append(f"{field.name} {'x'.join(map(str, value.shape))}")
        elif field.name not in ("x", "kernel", "type") and value != field.default:
            parts.append(f"{field.name} {value}")
    return " ".join(part for part in parts if part)


def _describe(index: int, node: Node, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """A node as JSON; its arrays go to `arrays` under '<index>.<field>'."""
    entry: dict[str, Any] = {"name": node.name, "type": asdict(node.type)}
    entry["op"] = type(node.op).__name__
    plain: dict[str, Any] = {}
    for name, value in vars(node.op).items():
        match value:
            case IntType():  # that of an Input, which is the node's
                continue
            case Weights():
                arrays[f"{index}.{name}"] = value.values
                plain[name] = {"array": f"{index}.{name}", "bits": value.bits}
                plain[name] |= {"bipolar": value.bipolar}
            case np.ndarray():
                arrays[f"{index}.{name}"] = value
                plain[name] = {"array": f"{index}.{name}"}
            case _:
                plain[name] = value
    return entry | {"fields": plain}


def _rebuild(entry: Mapping[str, Any], arrays: Arrays) -> Node:
    kind = IntType(**{**entry["type"], "shape": tuple(entry["type"]["shape"])})
    make = _MAKE[entry["op"]]
    if make is Input:
        return Node(entry["name"], Input(kind), kind)
    values = {name: _value(value, arrays) for name, value in entry["fields"].items()}
    return Node(entry["name"], make(**values), kind)


def _value(value: Any, arrays: Arrays) -> Any:
    """The value of an operation's field from what `_describe` made of it."""
    if isinstance(value, dict):
        array = arrays[value["array"]]
        return Weights(array, value["bits"], value["bipolar"]) if "bits" in value else array
    return tuple(value) if isinstance(value, list) else value


_MAKE: Mapping[str, type[Op]] = {op.__name__: op for op in OPS}
