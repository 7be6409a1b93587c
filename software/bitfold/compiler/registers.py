"""The AXI4-Lite registers of an accelerator with precision modes, for whoever writes its driver.

One table makes registers.json and bitfold_registers.h beside a design; bf_regs.sv is tested against
it, register by register.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

ID = 0x42464C44  # "BFLD"
VERSION = (1, 1)
PLANES = 0x100  # first byte of the table
Access = Literal["read", "write", "clear"]


@final
@dataclass(frozen=True, kw_only=True)
class Field:
    """Bits high:low of a register."""

    name: str
    high: int
    low: int
    text: str


@final
@dataclass(frozen=True, kw_only=True)
class Register:
    """A word. access: "read" only; "write" and read; "clear": reads, and a 1 clears the bit."""

    name: str
    offset: int
    access: Access
    fields: tuple[Field, ...]
    text: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class LayerPlanes:
    """A layer and the planes of its weights and activations that it multiplies in each mode.

    free: the host may write any of them to a word of the layer; so in all layers, or in none.
    """

    name: str
    kept: tuple[tuple[int, int], ...]
    free: bool = False


def _count(name: str, offset: int, bits: int, text: str) -> Register:
    """A number to read."""
    field = Field(name="COUNT", high=bits - 1, low=0, text=text)
    return Register(name=name, offset=offset, access="read", fields=(field,))


REGISTERS: tuple[Register, ...] = (
    Register(
        name="ID",
        offset=0x00,
        access="read",
        fields=(Field(name="ID", high=31, low=0, text='0x42464C44, "BFLD"'),),
    ),
    Register(
        name="VERSION",
        offset=0x04,
        access="read",
        fields=(
            Field(name="MAJOR", high=31, low=16, text="changes where drivers must"),
            Field(name="MINOR", high=15, low=0, text="changes where something is added"),
        ),
        text="of this map",
    ),
    _count("MODES", 0x08, 16, "precision modes"),
    _count("LAYERS", 0x0C, 16, "layers in the table PLANES"),
    Register(
        name="MODE",
        offset=0x10,
        access="write",
        fields=(Field(name="MODE", high=7, low=0, text="mode of the frames that enter from now"),),
        text="a mode that there is not answers SLVERR and changes nothing",
    ),
    Register(
        name="CONTROL",
        offset=0x14,
        access="write",
        fields=(
            Field(
                name="BY_FRAME",
                high=0,
                low=0,
                text="1: a frame's mode is s_axis_tuser of its first beat",
            ),
        ),
    ),
    Register(
        name="STATUS",
        offset=0x18,
        access="read",
        fields=(
            Field(name="INSIDE", high=31, low=16, text="frames inside the accelerator"),
            Field(name="NEWEST", high=15, low=8, text="mode of the frame that entered last"),
            Field(name="OLDEST", high=7, low=0, text="mode of the frame that leaves next"),
        ),
    ),
    Register(
        name="ERROR",
        offset=0x1C,
        access="clear",
        fields=(
            Field(
                name="NO_MODE",
                high=0,
                low=0,
                text="s_axis_tuser was no mode; that frame took MODE",
            ),
        ),
    ),
    _count("ENTERED", 0x20, 32, "frames since reset, modulo 2^32"),
    _count("LEFT", 0x24, 32, "frames since reset, modulo 2^32"),
)


def planes_offset(mode: int, layer: int, layers: int) -> int:
    """Byte address of a layer's word in PLANES: [7:0] weight, [15:8] activation planes."""
    return PLANES + 4 * (mode * layers + layer)


def planes_word(w_planes: int, planes: int) -> int:
    """A word of PLANES."""
    return w_planes | planes << 8


def pack_planes(layers: Sequence[LayerPlanes]) -> int:
    """The parameter Planes of bf_regs: 16 bits a word, mode by mode, the first lowest."""
    modes = len(layers[0].kept)
    words = [planes_word(*layer.kept[mode]) for mode in range(modes) for layer in layers]
    return sum(word << 16 * i for i, word in enumerate(words))


def register_map(layers: Sequence[LayerPlanes]) -> dict[str, Any]:
    """registers.json: every register, and the words of PLANES by mode and layer."""
    modes, count = len(layers[0].kept), len(layers)
    return {
        "bus": "AXI4-Lite, 32 bits; port s_axil",
        "address_bits": (PLANES + 4 * modes * count - 1).bit_length(),
        "registers": [
            {
                "name": r.name,
                "offset": r.offset,
                "access": r.access,
                "text": r.text,
                "fields": [
                    {"name": f.name, "bits": [f.high, f.low], "text": f.text} for f in r.fields
                ],
            }
            for r in REGISTERS
        ],
        "planes_access": _access(layers),
        "planes": [
            {
                "offset": planes_offset(mode, index, count),
                "mode": mode,
                "layer": layer.name,
                "w_planes": layer.kept[mode][0],
                "a_planes": layer.kept[mode][1],
            }
            for mode in range(modes)
            for index, layer in enumerate(layers)
        ],
    }


def _access(layers: Sequence[LayerPlanes]) -> Access:
    return "write" if layers[0].free else "read"


def c_header(layers: Sequence[LayerPlanes]) -> str:
    """bitfold_registers.h: offsets, masks and shifts, names of layers."""
    count = len(layers)
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* Registers of bf_accelerator. Generated by bitfold; registers.json says the same. */",
        "#ifndef BITFOLD_REGISTERS_H",
        "#define BITFOLD_REGISTERS_H",
        "",
        f"#define BF_ID_VALUE 0x{ID:08X}u",
        f"#define BF_VERSION_VALUE 0x{VERSION[0] << 16 | VERSION[1]:08X}u",
        f"#define BF_MODES_VALUE {len(layers[0].kept)}u",
        f"#define BF_LAYERS_VALUE {len(layers)}u",
    ]
    for r in REGISTERS:
        lines += ["", f"/* {r.access}{'; ' + r.text if r.text else ''} */"]
        lines.append(f"#define BF_{r.name} 0x{r.offset:03X}u")
        for f in r.fields:
            mask = (1 << f.high + 1) - (1 << f.low)
            lines.append(f"#define BF_{r.name}_{f.name}_MASK 0x{mask:08X}u  /* {f.text} */")
            lines.append(f"#define BF_{r.name}_{f.name}_SHIFT {f.low}")
    lines += [
        "",
        f"/* {_access(layers)}; planes that a layer multiplies in a mode: [7:0] weights, [15:8] "
        "activations */",
        f"#define BF_PLANES(mode, layer) (0x{PLANES:03X}u + 4u * ((mode) * {count}u + (layer)))",
    ]
    lines += [f"#define BF_LAYER_{layer.name} {i}" for i, layer in enumerate(layers)]
    return "\n".join([*lines, "", "#endif", ""])
