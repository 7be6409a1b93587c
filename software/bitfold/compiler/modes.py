"""Precision modes of a network, as modes.json and modes/N.onnx hold them and as a design does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from bitfold.compiler.layers import Layer
from bitfold.compiler.lower import lower
from bitfold.compiler.mode_file import Kept, read_mode_file
from bitfold.compiler.mode_layers import Lowered
from bitfold.compiler.pipeline import run_pipeline
from bitfold.compiler.read_qonnx import read_qonnx
from bitfold.compiler.reading.quantiser import Ties
from bitfold.compiler.serve import serve
from bitfold.compiler.truncate import truncated
from bitfold.errors import UnsupportedOp
from bitfold.ir import Graph, quantise_input
from bitfold.ir.ops import Conv, Dense


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Mode:
    """A mode: its name in messages, its own golden graph, its QONNX file where it came from one.

    masked: the graph is `truncated` from the stored network. Where all modes are, the planes of
    each layer can be chosen at run time.
    """

    name: str
    graph: Graph
    file: Path | None = None
    masked: bool = False


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Modes:
    """All modes, in the order of their numbers, and what the integers at both ends mean.

    The accelerator reads the stored network's input integers, of which a mode takes the leading
    planes, x >> input_shifts[mode]; it gives those of the mode's graph << output_shifts[mode].
    """

    modes: tuple[Mode, ...]
    input_shifts: tuple[int, ...]
    output_shifts: tuple[int, ...]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """What is compiled: a QONNX file, its integer graph, and precision modes where it has them."""

    model: Path
    graph: Graph
    modes: tuple[Mode, ...]


def read_network(path: Path, ties: Ties = "even") -> Network:
    """A QONNX file; or a modes.json, which lists the modes of model.onnx beside it.

    Raises: as `read_qonnx` and `read_modes`.
    """
    if path.suffix != ".json":
        return Network(model=path, graph=run_pipeline(read_qonnx(path, ties)), modes=())
    model = path.parent / "model.onnx"
    modes = read_modes(path, model, ties)
    graph = run_pipeline(read_qonnx(model, ties), flips=True)
    return Network(model=model, graph=graph, modes=modes)


def read_modes(path: Path, model: Path, ties: Ties = "even") -> tuple[Mode, ...]:
    """The modes that a modes.json lists, their graphs with flips kept.

    A mode is a file, as DQMQ leaves it. Or, written by hand, it names layers as `bitfold cost` does
    and the planes they keep, {"layers": {"Conv_1": {"w_bits": 2, "a_bits": 3}}}: see `truncated`.

    Raises: as `read_mode_file`, `truncated` and `read_qonnx`.
    """
    listed = read_mode_file(path, model)
    if listed.files:
        return tuple(
            Mode(
                name=f"{number} ({file.name})",
                graph=run_pipeline(read_qonnx(file, ties), flips=True),
                file=file,
            )
            for number, file in enumerate(listed.files)
        )
    return masked_modes(path, run_pipeline(read_qonnx(model, ties), flips=True), listed.layers)


def masked_modes(path: Path, graph: Graph, modes: Sequence[Mapping[str, Kept]]) -> tuple[Mode, ...]:
    """Modes of the stored network that name the planes of layers; path: where, for messages.

    Raises: as `truncated`.
    """
    return tuple(
        Mode(
            name=str(number),
            graph=truncated(graph, _planes(graph, layers), f"{path}: mode {number}"),
            masked=True,
        )
        for number, layers in enumerate(modes)
    )


def _planes(graph: Graph, layers: Mapping[str, Kept]) -> dict[str, tuple[int, int]]:
    """What a mode written by hand asks for; a count that it leaves out is that of the graph."""
    found = {}
    for name, kept in layers.items():
        node = next((n for n in graph.nodes if n.name == name), None)
        built = (1, 1)
        if node is not None and isinstance(node.op, Conv | Dense):
            built = node.op.weights.bits, graph.node(node.op.x).type.bits
        asked = (kept.w_bits, kept.a_bits)
        w, a = (b if n is None else n for n, b in zip(asked, built, strict=True))
        found[name] = (w, a)
    return found


def serve_modes(graph: Graph, name: str, modes: Sequence[Mode]) -> tuple[tuple[Layer, ...], Modes]:
    """The layers of one accelerator for all modes of the stored network `graph`.

    All graphs with flips kept. Raises: UnsupportedOp where a mode is no truncation of it.
    """
    lowered = [
        Lowered(name=m.name, input=m.graph.input_type, layers=lower(m.graph, flips=True))
        for m in modes
    ]
    layers = lower(graph, flips=True)
    stored = Lowered(name=name, input=graph.input_type, layers=layers)
    served = serve(stored, lowered, free=all(mode.masked for mode in modes))
    for mode, shift in zip(modes, served.input_shifts, strict=True):
        _check_input(graph, name, mode, shift)
    found = Modes(
        modes=tuple(modes),
        input_shifts=served.input_shifts,
        output_shifts=served.output_shifts,
    )
    return served.layers, found


def _check_input(graph: Graph, name: str, mode: Mode, shift: int) -> None:
    """A real that is exactly an integer of the stored network is its truncation in the mode."""
    low, high = graph.input_range or (graph.input_type.min, graph.input_type.max)
    codes = np.arange(low, high + 1, 1 + graph.input_type.bipolar)
    shape = (len(codes), *graph.input_type.shape)
    every = np.broadcast_to(codes.reshape(-1, *[1] * (len(shape) - 1)), shape)
    reals = graph.input_map.to_real(every).astype(np.float32)
    if graph.sample_shape != mode.graph.sample_shape:
        raise UnsupportedOp(
            f"mode {mode.name}: samples of shape {mode.graph.sample_shape}, {name} takes "
            f"{graph.sample_shape}"
        )
    reals = _as_sample(graph, reals)
    if not np.array_equal(quantise_input(mode.graph, reals), quantise_input(graph, reals) >> shift):
        raise UnsupportedOp(
            f"mode {mode.name}: its input quantiser is not that of {name} less {shift} planes; "
            "the same bytes enter in every mode"
        )


def _as_sample(graph: Graph, reals: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Reals in the input's own shape as the model's file takes them."""
    if graph.input_order is None:
        return reals.reshape(len(reals), *graph.sample_shape)
    moved = reals.reshape(len(reals), *(graph.sample_shape[axis] for axis in graph.input_order))
    back = np.argsort(graph.input_order)
    return moved.transpose(0, *(1 + axis for axis in back))


def describe_modes(modes: Modes, outputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the manifest says of each mode; outputs: as `design.describe_output` makes them."""
    return [
        {
            "name": mode.name,
            "graph": f"modes/{number}",
            "input_shift": modes.input_shifts[number],
            "output_shift": modes.output_shifts[number],
            "output": dict(outputs[number]),
        }
        for number, mode in enumerate(modes.modes)
    ]
