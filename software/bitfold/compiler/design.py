"""The design folder: SystemVerilog, memory images, the golden graph, and a manifest of it all.

design/
  manifest.json   what this is, how it is driven, what is predicted of it
  graph.json/.npz the integer graph: the golden model
  rtl/*.sv        the modules, copied, and the generated top
  mem/*.mem       weights, thresholds, biases
  sim/*.sv        the test bench of this top
  modes/N/        with precision modes: the golden model of mode N
  driver/         with precision modes: the registers, as JSON and as a C header
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final
from zipfile import BadZipFile

import numpy as np

import bitfold
from bitfold.cost import Folding
from bitfold.cost.stages import (
    AxisIn,
    AxisOut,
    Fork,
    Gather,
    Join,
    Pad,
    Pool,
    Stage,
    Upscale,
    Window,
)
from bitfold.cost.units import Divider, Mvtu, StageModes, Vvau
from bitfold.errors import ArtefactError
from bitfold.files import read_json, write_json
from bitfold.ir import Graph, text

SCHEMA = 1
TOP = "bf_accelerator"
_KINDS: Mapping[str, Callable[..., Stage]] = {
    "axis_in": AxisIn,
    "window": Window,
    "mvtu": Mvtu,
    "vvau": Vvau,
    "fork": Fork,
    "join": Join,
    "pool": Pool,
    "pad": Pad,
    "upscale": Upscale,
    "gather": Gather,
    "axis_out": AxisOut,
}


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Design:
    """A compiled accelerator on disk.

    predicted: figures of the cost model.
    checked:   what `compiler.check` counted against the QONNX graph; None without samples. Of
               precision modes it is the sum over all.
    modes:     what `modes.describe_modes` says of each precision mode; empty without.
    """

    folder: Path
    model: Mapping[str, Any]  # name and digest of the QONNX file
    stages: tuple[Stage, ...]
    rtl: tuple[str, ...]  # paths relative to the folder
    mem: tuple[str, ...]
    bench: tuple[str, ...]
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    target: str
    clock_mhz: float
    predicted: Mapping[str, Any]
    checked: Mapping[str, Any] | None
    versions: Mapping[str, str]
    modes: tuple[Mapping[str, Any], ...] = ()

    @property
    def rtl_paths(self) -> tuple[Path, ...]:
        """Synthesisable sources."""
        return tuple(self.folder / name for name in self.rtl)

    def graph(self) -> Graph:
        """The golden model."""
        return text.load(self.folder)

    def mode_graphs(self) -> tuple[Graph, ...]:
        """The golden model of each precision mode."""
        return tuple(text.load(self.folder / mode["graph"]) for mode in self.modes)


def stage_to_json(stage: Stage) -> dict[str, Any]:
    """A stage with its kind; modes and dividers are left out where there are none."""
    kind = next(k for k, v in _KINDS.items() if v is type(stage))
    fields = asdict(stage)
    return {"kind": kind, **{k: v for k, v in fields.items() if v is not None}}


def stage_from_json(value: Mapping[str, Any]) -> Stage:
    """The inverse. Raises: KeyError, TypeError on anything else."""
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in value.items() if k != "kind"
    }
    if "folding" in fields:
        fields["folding"] = Folding(**fields["folding"])
    if fields.get("modes") is not None:
        kept = tuple((int(w), int(a)) for w, a in fields["modes"]["kept"])
        fields["modes"] = StageModes(**{**fields["modes"], "kept": kept})
    if fields.get("divider") is not None:
        fields["divider"] = Divider(**fields["divider"])
    return _KINDS[value["kind"]](**fields)


def describe_input(graph: Graph, stage: AxisIn) -> dict[str, Any]:
    """How a frame is sent: one byte a value, pixels in rows, channels of a pixel together."""
    kind = graph.input_type
    return {
        "shape": list(kind.shape),
        "bits": kind.bits,
        "signed": kind.signed,
        "bipolar": kind.bipolar,
        "scale": np.asarray(graph.input_map.scale).tolist(),
        "bytes_per_beat": stage.group,
        "beats_per_frame": stage.beats,
        "bytes_per_frame": stage.group * stage.beats,
    }


def describe_output(graph: Graph, stage: AxisOut, shift: int = 0) -> dict[str, Any]:
    """What a frame answers: `count` integers of 32 bits, and the reals that they stand for.

    bits: that an integer can differ in, two's complement if `signed`; of codes -1, +1 these are 2.
    shift: the integers are those of the graph times 2^shift.
    """
    return {
        "shape": list(graph.output_type.shape),
        "count": stage.outputs,
        "bits": stage.width,
        "signed": stage.signed,
        "bipolar": graph.output_type.bipolar,
        "scale": (np.asarray(graph.output_map.scale) / 2**shift).tolist(),
        "bias": np.asarray(graph.output_map.bias).tolist(),
    }


def write_manifest(design: Design, folder: Path) -> None:
    """Write manifest.json into `folder`."""
    write_json(
        folder / "manifest.json",
        {
            "kind": "design",
            "schema": SCHEMA,
            "bitfold": bitfold.__version__,
            "top": TOP,
            "model": dict(design.model),
            "target": design.target,
            "clock_mhz": design.clock_mhz,
            "input": dict(design.input),
            "output": dict(design.output),
            "rtl": list(design.rtl),
            "mem": list(design.mem),
            "bench": list(design.bench),
            "stages": [stage_to_json(s) for s in design.stages],
            "predicted": dict(design.predicted),
            "checked": dict(design.checked) if design.checked else None,
            "versions": dict(design.versions),
            **({"modes": [dict(mode) for mode in design.modes]} if design.modes else {}),
        },
    )


def read_design(folder: Path) -> Design:
    """Read a design folder. Raises: ArtefactError when a part is missing or damaged."""
    value = read_json(folder / "manifest.json", "design", SCHEMA)
    try:
        design = Design(
            folder=folder,
            model=value["model"],
            stages=tuple(stage_from_json(s) for s in value["stages"]),
            rtl=tuple(value["rtl"]),
            mem=tuple(value["mem"]),
            bench=tuple(value["bench"]),
            input=value["input"],
            output=value["output"],
            target=value["target"],
            clock_mhz=value["clock_mhz"],
            predicted=value["predicted"],
            checked=value.get("checked"),
            versions=value["versions"],
            modes=tuple(value.get("modes", ())),
        )
    except (KeyError, TypeError) as error:
        raise ArtefactError(
            f"{folder / 'manifest.json'}: malformed ({error}); run `bitfold compile` again"
        ) from None
    for name in (*design.rtl, *design.mem, *design.bench):
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or not (folder / path).is_file():
            raise ArtefactError(
                f"{folder}: {name!r} is missing or outside; run `bitfold compile` again"
            )
    return design


def read_inputs(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Array x of an .npz, as a model is fed. Raises: ArtefactError."""
    return read_arrays(path)["x"].astype(np.float32)


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays x and, where there, y of an .npz. Raises: ArtefactError."""
    try:
        # numpy leaves the file open when it finds damage.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in ("x", "y") if name in file or name == "x"}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ArtefactError(
            f"{path}: no readable samples ({error}); expected arrays x, y"
        ) from None


def frame_bytes(graph: Graph, codes: np.ndarray[Any, np.dtype[np.int64]]) -> bytes:
    """Input integers of frames (N, *shape) as the bytes of the input stream.

    Order: frame, row, column, channel; two's complement; bipolar -1 is byte 0, +1 is byte 1.
    """
    order = codes.transpose(0, 2, 3, 1) if codes.ndim == 4 else codes
    values = (order + 1) // 2 if graph.input_type.bipolar else order
    return np.ascontiguousarray(values & 0xFF).astype(np.uint8).tobytes()


def stream_order(graph: Graph, outputs: np.ndarray[Any, np.dtype[np.int64]]) -> Any:
    """Golden outputs (N, *shape) in the order of the output stream: (N, count)."""
    order = outputs.transpose(0, 2, 3, 1) if outputs.ndim == 4 else outputs
    return order.reshape(len(outputs), -1)
