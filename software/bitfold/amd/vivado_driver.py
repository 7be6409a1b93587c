"""What goes to the board beside the bitstream: the driver, the figures of the design, samples."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import bitfold
from bitfold.amd.vivado_registers import ERRORS, ID, OFFSETS
from bitfold.amd.vivado_system import Addresses
from bitfold.amd.vivado_tcl import BIT
from bitfold.amd.vivado_top import LONGEST, stream_of
from bitfold.compiler.design import Design, frame_bytes
from bitfold.compiler.emit_modes import layer_planes
from bitfold.compiler.registers import REGISTERS, planes_offset, planes_word
from bitfold.host.pynq_driver import KIND, SCHEMA
from bitfold.ir import Graph
from bitfold.sim.modes import held_run
from bitfold.sim.samples import random_samples, read_samples
from bitfold.synth.source import design_id

DRIVER, ROUNDING, ABOUT, GOLDEN = "driver.py", "rounding.py", "driver.json", "golden.npz"
_SAMPLES = 100
_IMPORT = "from bitfold.ir.rounding import"
_MODE = next(register.offset for register in REGISTERS if register.name == "MODE")


def driver_files(
    design: Design, addresses: Addresses, memory_bytes: int, samples: Path | None = None
) -> dict[str, bytes]:
    """The files by name. samples: .npz whose first samples go along; random inputs when None."""
    about = json.dumps(driver_json(design, addresses, memory_bytes), indent=1, allow_nan=False)
    return {
        **_programs(),
        ABOUT: (about + "\n").encode(),
        GOLDEN: golden_samples(design, samples),
    }


def _programs() -> dict[str, bytes]:
    """driver.py and rounding.py: what of bitfold needs numpy alone, without bitfold."""
    root = Path(bitfold.__file__).parent
    driver = (root / "host" / "pynq_driver.py").read_text()
    assert driver.count(_IMPORT) == driver.count("bitfold.ir"), "one import of bitfold, to be cut"
    return {
        DRIVER: driver.replace(_IMPORT, "from rounding import").encode(),
        ROUNDING: (root / "ir" / "rounding.py").read_bytes(),
    }


def driver_json(design: Design, addresses: Addresses, memory_bytes: int) -> dict[str, Any]:
    """What driver.json holds: all that the driver knows of the design and of the block design."""
    graph, stream = design.graph(), stream_of(design)
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "bitfold": bitfold.__version__,
        "bitstream": BIT,
        "design_id": f"{design_id(design):016x}",
        "id": ID,
        "addresses": {"control": addresses.control, "modes": addresses.modes},
        "registers": dict(OFFSETS),
        "mode_register": _MODE,
        "planes": _planes(design),
        "errors": {str(bit): text for bit, text in ERRORS.items()},
        "memory_bytes": memory_bytes,
        "longest": LONGEST,
        "stream": {
            "beat_bytes": stream.beat_bytes,
            "bus_bytes": stream.bus_bytes,
            "beats": stream.beats,
        },
        "input": _input(design, graph),
        "output": _output(design.output),
        "modes": [{"name": m["name"], "output": _output(m["output"])} for m in design.modes],
    }


def _planes(design: Design) -> dict[str, Any]:
    """Of each layer whose planes can be written: where in each mode, and which, by "w,a"."""
    layers = layer_planes(design.stages)
    return {
        layer.name: {
            "offsets": [planes_offset(mode, k, len(layers)) for mode in range(len(layer.kept))],
            "words": {f"{w},{a}": planes_word(w, a) for w, a in layer.kept},
        }
        for k, layer in enumerate(layers)
        if layer.free
    }


def _input(design: Design, graph: Graph) -> dict[str, Any]:
    kind = graph.input_type
    low, high = graph.input_range or (kind.min, kind.max)
    return {
        "sample_shape": list(graph.sample_shape),
        "order": None if graph.input_order is None else list(graph.input_order),
        "shape": list(kind.shape),
        "bipolar": kind.bipolar,
        "range": [int(low), int(high)],
        "by_sign": kind.bipolar or graph.input_by_sign,
        "rounding": graph.input_rounding,
        "scale": np.asarray(graph.input_map.scale).tolist(),
        "bias": np.asarray(graph.input_map.bias).tolist(),
        "bytes_per_frame": design.input["bytes_per_frame"],
    }


def _output(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("shape", "count", "scale", "bias")}


def golden_samples(design: Design, samples: Path | None) -> bytes:
    """golden.npz: frames (N, bytes), integers mode0, mode1, ... (N, count), labels y if any.

    Raises: ArtefactError for samples that do not fit.
    """
    graph = design.graph()
    if samples is None:
        codes, labels = random_samples(graph, _SAMPLES), None
    else:
        codes, labels = read_samples(samples, graph)
        codes = codes[:_SAMPLES]
    frames = np.frombuffer(frame_bytes(graph, codes), np.uint8).reshape(len(codes), -1)
    arrays: dict[str, Any] = {"frames": frames}
    for mode in range(max(1, len(design.modes))):
        run = held_run(design, len(codes), mode if design.modes else None)
        arrays[f"mode{mode}"] = run.golden(codes)
    if labels is not None:
        arrays["y"] = labels[:_SAMPLES]
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()
