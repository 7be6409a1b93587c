"""A bit-serial layer between FINN's streams: bf_finn_mvu as numbers, as text, as a memory image.

Also used where FINN runs, so it imports numpy, `bitfold.cost` and `bitfold.sim.reference` alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import ceil
from typing import final

from bitfold.cost.luts import read_target, stage_brams, stage_luts
from bitfold.cost.schedule_mvtu import held_vectors, timings_of
from bitfold.cost.shape import Folding, divisors
from bitfold.cost.timing import MvtuTiming
from bitfold.cost.units import Mvtu
from bitfold.errors import ConfigError
from bitfold.sim.reference import Step, pack_steps, pack_weights, step_table, to_mem
from bitfold.sim.reference.planes import Ints

MODULE = "bf_finn_mvu"
MOST_BITS = 8  # of weights and activations
_STYLE = 1  # of the popcounts: all parts of FINN's that have a table are AMD's
# What a block RAM is worth when foldings are compared: an xc7z020 has 53,200 / 140.
_BRAM_LUTS = 380
_FAMILIES = (("xc7", "xc7"), ("xczu", "xcup"), ("xcu", "xcup"), ("xcvu", "xcup"), ("xck", "xcup"))


def target_of(part: str) -> str:
    """The cost model's table for a part as Vivado spells it.

    Raises: ConfigError for a family without one, as Versal.
    """
    for begin, target in _FAMILIES:
        if part.lower().startswith(begin):
            return target
    raise ConfigError(
        f"part {part!r}: bitfold has no table of prices for its family; bit-serial layers are "
        "for 7 series and UltraScale+ (xc7*, xczu*, xcu*, xcvu*, xck*)"
    )


@final
@dataclass(frozen=True, kw_only=True)
class SerialUnit:
    """One layer. w_planes: of two's complement, 1 with w_bipolar. pixels: vectors of a frame.

    out_bits: of a result, which is taken modulo 2^out_bits.
    """

    inputs: int  # MW
    outputs: int  # MH
    pixels: int
    planes: int
    act_signed: bool
    w_planes: int
    w_bipolar: bool
    folding: Folding
    out_bits: int

    def __post_init__(self) -> None:
        fold = self.folding
        if self.inputs % fold.simd or self.outputs % fold.pe:
            raise ConfigError(
                f"SIMD {fold.simd} must divide MW {self.inputs}, PE {fold.pe} must divide MH "
                f"{self.outputs}"
            )
        if fold.wp > self.w_planes or fold.ap > self.planes:
            raise ConfigError(
                f"WP {fold.wp} is at most the {self.w_planes} planes of a weight, AP {fold.ap} at "
                f"most the {self.planes} of an activation"
            )

    @cached_property
    def stage(self) -> Mvtu:
        """The unit that the cost model knows: the same product, integers out, no bias."""
        return Mvtu(
            name=MODULE,
            inputs=self.inputs,
            outputs=self.outputs,
            pixels=self.pixels,
            group_in=self.folding.simd,
            planes=self.planes,
            act_signed=self.act_signed,
            act_bipolar=False,
            w_planes=self.w_planes,
            w_bipolar=self.w_bipolar,
            folding=self.folding,
            acc_width=self.out_bits,
            out_bits=0,
            out_signed=True,
            tpe=self.folding.pe,
            bias=False,
        )

    @property
    def act_groups(self) -> int:
        """AF: plane groups of an activation, cycles that a word takes to enter."""
        return ceil(self.planes / self.folding.ap)

    @property
    def timing(self) -> MvtuTiming:
        """Cycle counts; the unit's own rate, since the input never holds it up."""
        return timings_of(self.stage, _STYLE)[0]

    @property
    def cycles(self) -> int:
        """Of a frame at full rate."""
        return self.pixels * self.stage.vector_cycles

    @property
    def fill(self) -> int:
        """Cycles from a first word taken to the last one leaving are `cycles` and these."""
        words = self.inputs // self.folding.simd
        return words * self.act_groups + 1 + self.timing.last_out - self.timing.period

    def luts(self, target: str) -> float:
        """By the cost model: the unit, and what makes planes of words."""
        moved = self.folding.simd * self.folding.ap * (self.act_groups - 1)  # bits of bf_unpack
        return stage_luts(self.stage, read_target(target)) + moved

    def brams(self, target: str) -> float:
        """Block RAMs of 36 kbit by the cost model, in halves."""
        return stage_brams(self.stage, read_target(target))

    def price(self, target: str) -> float:
        """LUTs with all that a folding brings about: block RAMs at what they are worth, and a LUT
        for each bit of both streams, which FINN's width converters shift as bf_unpack does.
        """
        streams = self.folding.simd * self.planes + self.folding.pe * self.out_bits
        return self.luts(target) + _BRAM_LUTS * self.brams(target) + streams

    @property
    def steps(self) -> tuple[Step, ...]:
        """The walk over pairs of plane groups."""
        return step_table(
            *(self.planes, self.w_planes, self.folding.ap, self.folding.wp),
            act_signed=self.act_signed,
            weight_signed=not self.w_bipolar,
        )

    def parameters(self, weight_file: str) -> dict[str, str]:
        """Of bf_finn_mvu, in Verilog notation; weight_file: path of `image`."""
        fold, steps = self.folding, self.steps
        last = steps[-1]
        negative = (fold.ap == 1 and last.act_sign) != (fold.wp == 1 and last.weight_sign)
        return {
            "Inputs": str(self.inputs),
            "Outputs": str(self.outputs),
            "Simd": str(fold.simd),
            "Pe": str(fold.pe),
            "Planes": str(self.planes),
            "ActSigned": f"1'b{int(self.act_signed)}",
            "WPlanes": str(self.w_planes),
            "WeightBipolar": f"1'b{int(self.w_bipolar)}",
            "Ap": str(fold.ap),
            "Wp": str(fold.wp),
            "AccWidth": str(self.out_bits),
            "OutVectors": str(held_vectors(self.stage, _STYLE)),
            "Style": str(_STYLE),
            "WeightFile": f'"{weight_file}"',
            "MaxShift": str(max(step.shift for step in steps)),
            "LastNegative": f"1'b{int(negative)}",
            "Steps": f"{32 * len(steps)}'h{pack_steps(steps):x}",
        }

    def image(self, matrix: Ints) -> str:
        """The weights (MH, MW) as lines for $readmemh."""
        fold = self.folding
        words = pack_weights(
            matrix, self.w_planes, bipolar=self.w_bipolar, pe=fold.pe, simd=fold.simd, wp=fold.wp
        )
        return to_mem(words, fold.pe * fold.simd * fold.wp)

    def verilog(
        self, name: str, weight_file: str, *, reads: str = "in0_V", makes: str = "out0_V"
    ) -> str:
        """A Verilog-2001 module of FINN's port names around bf_finn_mvu; padding bits are 0.

        reads, makes: names of the streams.
        """
        wide_in = self.folding.simd * self.planes
        wide_out = self.folding.pe * self.out_bits
        padded_in, padded_out = (-(-bits // 8) * 8 for bits in (wide_in, wide_out))
        given = self.parameters(weight_file).items()
        rest = padded_out - wide_out
        values = {
            "name": name,
            "reads": reads,
            "makes": makes,
            "in_top": padded_in - 1,
            "out_top": padded_out - 1,
            "parameters": ",\n".join(f"    .{key:13} ({value})" for key, value in given),
            "in_used": wide_in - 1,
            "padding": (
                f"  wire unused = ^{reads}_TDATA[{padded_in - 1}:{wide_in}];\n"
                if padded_in > wide_in
                else ""
            ),
            "out": f"{{{rest}'b0, out}}" if rest else "out",
            "out_used": wide_out - 1,
        }
        return _TOP.format(**values)


def serial_foldings(unit: SerialUnit) -> Iterator[SerialUnit]:
    """The unit folded in every way.

    Plane groups divide the planes: others would compute with planes that are not there.
    """
    sides = product(divisors(unit.outputs), divisors(unit.inputs))
    planes = tuple(product(divisors(unit.w_planes), divisors(unit.planes)))
    for pe, simd in sides:
        for wp, ap in planes:
            yield replace(unit, folding=Folding(pe=pe, simd=simd, wp=wp, ap=ap))


def cheapest(unit: SerialUnit, cycles: int, target: str) -> SerialUnit:
    """The folding of least price within `cycles` a frame; the fastest where none is so fast."""
    every = tuple(serial_foldings(unit))
    least = max(cycles, min(each.cycles for each in every))
    fast = [each for each in every if each.cycles <= least]
    return min(fast, key=lambda each: (each.price(target), each.cycles))


_TOP = """\
// A bit-serial matrix-vector unit of bitfold with FINN's ports; generated.
module {name} (
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF {reads}:{makes}, ASSOCIATED_RESET ap_rst_n" *)
  (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 ap_clk CLK" *)
  input  wire ap_clk,
  (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)
  input  wire ap_rst_n,
  input  wire [{in_top}:0] {reads}_TDATA,
  input  wire {reads}_TVALID,
  output wire {reads}_TREADY,
  output wire [{out_top}:0] {makes}_TDATA,
  output wire {makes}_TVALID,
  input  wire {makes}_TREADY
);
  wire [{out_used}:0] out;
  assign {makes}_TDATA = {out};
{padding}
  bf_finn_mvu #(
{parameters}
  ) i_unit (
    .clk_i       (ap_clk),
    .rst_ni      (ap_rst_n),
    .in_valid_i  ({reads}_TVALID),
    .in_ready_o  ({reads}_TREADY),
    .in_data_i   ({reads}_TDATA[{in_used}:0]),
    .out_valid_o ({makes}_TVALID),
    .out_ready_i ({makes}_TREADY),
    .out_data_o  (out)
  );
endmodule
"""
