"""A stage as C++: the struct of parameters that its header takes, and its tables.

Parameters and memory images are those of the stage's RTL instance, value by value: what the struct
says is what the SystemVerilog says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from bitfold.amd.hls_tables import lanes, number, row, table
from bitfold.sim.reference import lane_file

Parameters = Mapping[str, str | int]
Images = Callable[[str], Sequence[int]]  # file name, as the RTL has it -> words

_FLAGS = {
    *("ActSigned", "ActBipolar", "WeightBipolar", "Final", "OutSigned", "Raw", "HasBias"),
    *("OneTable", "Divide", "DivideHalf", "PadSign", "Signed", "Split", "Bipolar"),
}
# What is not for C++: files and packed tables become functions, the rest decides about cells.
_RTL_ONLY = {
    *("Style", "MemRegister", "OutVectors", "Steps", "TableSteps", "WeightFile"),
    *("ThresholdFile", "BiasFile", "Vectors"),
}


@final
@dataclass(frozen=True, kw_only=True)
class Module:
    """The C++ of an RTL module: header, and the struct whose members are the RTL's defaults."""

    header: str
    base: str = ""


MODULES: Mapping[str, Module] = {
    "bf_axis_in": Module(header="bf_axis"),
    "bf_axis_out": Module(header="bf_axis"),
    "bf_window": Module(header="bf_window"),
    "bf_mvtu": Module(header="bf_mvtu", base="mvtu_defaults"),
    "bf_vvau": Module(header="bf_vvau", base="vvau_defaults"),
    "bf_results": Module(header="bf_results", base="results_defaults"),
    "bf_maxpool": Module(header="bf_maxpool"),
    "bf_fork": Module(header="bf_branch"),
    "bf_join": Module(header="bf_branch"),
    "bf_pad": Module(header="bf_pad"),
    "bf_upscale": Module(header="bf_upscale"),
    "bf_gather": Module(header="bf_gather"),
}


@final
@dataclass(frozen=True, kw_only=True)
class Config:
    """name: of the struct. widest: bits of the widest integer that the stage's C++ makes."""

    name: str
    tables: str
    struct: str
    widest: int


def config(
    name: str, module: str, parameters: Parameters, images: Images, more: Mapping[str, int]
) -> Config:
    """A stage of RTL `module`. more: members that the RTL has no parameter for, FrameVectors say.

    `images` is asked for the files that the parameters name.
    """
    base = MODULES[module].base
    values = {k: number(v) for k, v in parameters.items() if k not in _RTL_ONLY} | dict(more)
    if module == "bf_join":
        packed = values.pop("Beats")
        beats = lanes(packed, 32, values["Branches"])
        tables, functions = _array(name, "beats", "unsigned", 32, beats)
    elif module == "bf_mvtu":
        tables, functions = _mvtu(name, values, parameters, images)
    elif module == "bf_vvau":
        tables, functions = _vvau(name, values, parameters, images)
    elif module == "bf_results":
        tables, functions = _results(name, values, values["Pe"], parameters, images)
    else:
        tables, functions = "", ""
    members = "".join(_member(k, v) for k, v in values.items())
    heading = f"struct {name}{f' : {base}' if base else ''} {{\n"
    return Config(
        name=name,
        tables=tables,
        struct=f"{heading}{members}{functions}}};\n",
        widest=_widest(module, values),
    )


def _member(name: str, value: int) -> str:
    if name in _FLAGS:
        return f"  static constexpr bool {name} = {'true' if value else 'false'};\n"
    return f"  static constexpr unsigned {name} = {value};\n"


def _widest(module: str, values: Mapping[str, int]) -> int:
    match module:
        case "bf_mvtu":
            lanes_ = max(values["GroupIn"], values["Simd"], values["Simd"] * values["Ap"])
            return max(lanes_, values.get("SlopeWidth", 0) + values.get("DivideWidth", 0))
        case "bf_axis_in":
            return 8 * values["Group"]
        case _:
            return max(values.get("Group", 0), values.get("Width", 0))


def _file(parameters: Parameters, key: str) -> str:
    return str(parameters[key]).strip('"')


def _mvtu(
    name: str, v: Mapping[str, int], parameters: Parameters, images: Images
) -> tuple[str, str]:
    """Steps, weights by word and plane, and what makes results."""
    count = -(-v["Planes"] // v["Ap"]) * -(-v["WPlanes"] // v["Wp"])
    steps = lanes(number(parameters["Steps"]), 32, count)
    tables, functions = _array(name, "step", "ap_uint<32>", 32, steps)
    words = images(_file(parameters, "WeightFile"))
    planes = v["Pe"] * v["Wp"]
    weights = [lanes(word, v["Simd"], planes) for word in words]
    more = _grid(name, "weight", f"ap_uint<{v['Simd']}>", v["Simd"], weights)
    return _joined((tables, functions), more, _results(name, v, v["Pe"], parameters, images))


def _vvau(
    name: str, v: Mapping[str, int], parameters: Parameters, images: Images
) -> tuple[str, str]:
    """Weights where there are any, and what makes results."""
    parts: list[tuple[str, str]] = []
    if v["WKind"]:
        words, bits = images(_file(parameters, "WeightFile")), v["WBits"]
        channels = v["Group"] if v["WKind"] == 2 else 1
        weights = [lanes(word, bits, channels, signed=True) for word in words]
        parts.append(_grid(name, "weight", f"ap_int<{bits}>", bits, weights))
    return _joined(*parts, _results(name, v, v["Group"], parameters, images))


def _results(
    name: str, v: Mapping[str, int], pe: int, parameters: Parameters, images: Images
) -> tuple[str, str]:
    """Thresholds or words of dividers by lane, biases by fold; nothing for raw planes."""
    width = v["AccWidth"]
    if v.get("Final"):
        if not v.get("HasBias"):
            return "", _function("bias", f"ap_int<{width}>", "unsigned, unsigned", "0")
        words = images(_file(parameters, "BiasFile"))
        biases = [lanes(word, width, pe, signed=True) for word in words]
        return _grid(name, "bias", f"ap_int<{width}>", width, biases)
    if v.get("Raw"):
        return "", ""
    prefix = _file(parameters, "ThresholdFile")
    by_lane = [images(lane_file(prefix, lane)) for lane in range(v["Tpe"])]
    if v.get("Divide"):
        bits = v["DivideWidth"] + v["SlopeWidth"]
        return _grid(name, "threshold", f"ap_uint<{bits}>", bits, by_lane, by_lane=True)
    rows = [[lanes(word, width + 1, 1, signed=True)[0] for word in words] for words in by_lane]
    return _grid(name, "threshold", f"ap_int<{width + 1}>", width + 1, rows, by_lane=True)


def _array(name: str, what: str, element: str, bits: int, values: Sequence[int]) -> tuple[str, str]:
    """An array and the function that reads it."""
    array = f"{name}_{what}"
    return row(array, element, bits, values), _function(what, element, "unsigned i", f"{array}[i]")


def _grid(
    name: str,
    what: str,
    element: str,
    bits: int,
    rows: Sequence[Sequence[int]],
    *,
    by_lane: bool = False,
) -> tuple[str, str]:
    """A table and the function that reads it. by_lane: each row is a memory of its own; else the
    numbers of a row are one word."""
    array = f"{name}_{what}"
    pragmas = [f"ARRAY_RESHAPE variable={array} complete dim=2"]
    if by_lane:
        pragmas = [
            f"ARRAY_PARTITION variable={array} complete dim=1",
            f"BIND_STORAGE variable={array} type=rom_1p latency=1",
        ]
    return table(array, element, bits, rows), _function(
        what, element, "unsigned i, unsigned j", f"{array}[i][j]", pragmas
    )


def _function(
    name: str, element: str, arguments: str, value: str, pragmas: Sequence[str] = ()
) -> str:
    lines = "".join(f"#pragma HLS {p}\n" for p in ("INLINE", *pragmas))
    return f"  static {element} {name}({arguments}) {{\n{lines}    return {value};\n  }}\n"


def _joined(*parts: tuple[str, str]) -> tuple[str, str]:
    return "".join(tables for tables, _ in parts), "".join(text for _, text in parts)
