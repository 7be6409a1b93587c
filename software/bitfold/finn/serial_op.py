"""Runs where FINN runs: MVAU_bitserial_rtl, a layer of FINN's that is bitfold's bf_finn_mvu.

An MVAU without thresholds: integers in, accumulators out, weights inside. Importing this module
makes the operation known to FINN. What it needs of bitfold stands in `carried.carried_files`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op import fpgadataflow
from finn.custom_op.fpgadataflow import rtl
from finn.custom_op.fpgadataflow.matrixvectoractivation import MVAU
from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend
from onnx import NodeProto
from qonnx.core.datatype import DataType

from bitfold.cost.shape import Folding
from bitfold.finn.serial_unit import MODULE, MOST_BITS, SerialUnit, target_of
from bitfold.hardware import hardware_folder, needed_files

OP = "MVAU_bitserial_rtl"
DOMAIN = "finn.custom_op.fpgadataflow.rtl"


def why_not(layer: Any, weights: Any) -> str | None:
    """What keeps an MVAU of FINN's from being bit-serial; None if nothing does.

    weights: the initializer of its second input, or None.
    """
    given = {name: layer.get_nodeattr(name) for name in ("noActivation", "binaryXnorMode")}
    inputs, kept = layer.get_input_datatype(0), weight_type(layer)
    if not given["noActivation"]:
        return "its thresholds are inside; build with standalone_thresholds"
    if given["binaryXnorMode"] or inputs.name == "BIPOLAR":
        return "its activations are bipolar"
    if weights is None or not layer.get_nodeattr("mem_mode").startswith("internal_"):
        return "its weights are not inside"
    for kind, what in ((inputs, "activations"), (kept, "weights")):
        if not kind.is_integer() or planes_of(kind, signed=what == "weights") > MOST_BITS:
            return f"its {what} are {kind.name}; integers of {MOST_BITS} bits at most are taken"
    if layer.get_output_datatype().bitwidth() < 2:
        return "its results are of one bit"
    return None


def weight_type(layer: Any) -> Any:
    """FINN's data type of the weights; not all of its versions give it as that of an input."""
    return DataType[layer.get_nodeattr("weightDataType")]


def planes_of(kind: Any, *, signed: bool) -> int:
    """Bits of a type; signed: as two's complement, but for -1 and +1, which are one."""
    if kind.name == "BIPOLAR":
        return 1
    return int(kind.bitwidth()) + int(signed and not kind.signed())


class SerialProduct(MVAU):
    """The layer as FINN sees it before it has sources: shapes, types, estimates, execution."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Those of an MVAU, and planes of a weight (WP) and of an activation (AP) a cycle."""
        planes = {"WP": ("i", False, 1), "AP": ("i", False, 1)}
        return {**planes, **MVAU.get_nodeattr_types(self)}

    @property
    def unit(self) -> SerialUnit:
        """The layer as bitfold's numbers. Raises: ConfigError for what cannot be folded so."""
        inputs, weights = self.get_input_datatype(0), weight_type(self)
        return SerialUnit(
            inputs=self.get_nodeattr("MW"),
            outputs=self.get_nodeattr("MH"),
            pixels=int(np.prod(self.get_nodeattr("numInputVectors"))),
            planes=inputs.bitwidth(),
            act_signed=inputs.signed(),
            w_planes=planes_of(weights, signed=True),
            w_bipolar=weights.name == "BIPOLAR",
            folding=Folding(
                **{name.lower(): self.get_nodeattr(name) for name in ("PE", "SIMD", "WP", "AP")}
            ),
            out_bits=self.get_output_datatype().bitwidth(),
        )

    def get_exp_cycles(self) -> int:
        """Of a frame at full rate."""
        return self.unit.cycles

    def node_res_estimation(self, fpgapart: str) -> dict[str, float]:
        """By bitfold's cost model; FINN counts block RAMs of 18 kbit.

        The methods that FINN asks in here for one figure each differ between its versions.
        """
        unit, target = self.unit, target_of(fpgapart)
        blocks = round(2 * unit.brams(target))
        bits = unit.inputs * unit.outputs * unit.w_planes
        return {
            "BRAM_18K": blocks,
            "BRAM_efficiency": bits / (blocks * 18 * 1024) if blocks else 1,
            "LUT": round(unit.luts(target)),
            "URAM": 0,
            "URAM_efficiency": 1,
            "DSP": 0,
        }

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """The exact integer product."""
        del graph
        node = self.onnx_node
        x, w = (np.rint(context[name]).astype(np.int64) for name in node.input[:2])
        y = x.reshape(self.get_normal_input_shape()) @ w
        context[node.output[0]] = y.astype(np.float32).reshape(context[node.output[0]].shape)


class SerialUnitRtl(SerialProduct, RTLBackend):
    """The operation MVAU_bitserial_rtl: the layer with its sources."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Those of the layer and of RTL."""
        return {**SerialProduct.get_nodeattr_types(self), **RTLBackend.get_nodeattr_types(self)}

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        """In Python, unless FINN simulates the RTL."""
        if self.get_nodeattr("exec_mode") != "rtlsim":
            SerialProduct.execute_node(self, context, graph)
            return
        alone = NodeProto()  # FINN would give every input a stream; the weights have none
        alone.CopyFrom(self.onnx_node)
        del alone.input[1:]
        unit = SerialUnitRtl(alone)
        RTLBackend.execute_node(unit, context, graph)
        self.set_nodeattr("cycles_rtlsim", unit.get_nodeattr("cycles_rtlsim"))

    def get_verilog_top_module_name(self) -> str:
        """The name that the sources were generated with, if they were."""
        return str(self.get_nodeattr("gen_top_module") or self.onnx_node.name)

    def generate_hdl(self, model: Any, fpgapart: str, clk: float) -> None:
        """Write the top and the weights into code_gen_dir_ipgen; the RTL is used where it is."""
        del clk  # nothing depends on it
        target_of(fpgapart)  # a family whose primitives the RTL does not name is refused
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        name = self.get_verilog_top_module_name()
        weights = np.rint(model.get_initializer(self.onnx_node.input[1])).astype(np.int64)
        image = f"{name}_weights.mem"
        (folder / image).write_text(self.unit.image(weights.T))
        # FINN puts the folder in the place of "./" before it simulates or stitches.
        streams = self.get_verilog_top_module_intf_names()
        reads, makes = (streams[side][0][0] for side in ("s_axis", "m_axis"))
        top = self.unit.verilog(name, f"./{image}", reads=reads, makes=makes)
        (folder / f"{name}.v").write_text(top)
        for attribute in ("ipgen_path", "ip_path"):
            self.set_nodeattr(attribute, str(folder))
        self.set_nodeattr("gen_top_module", name)

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """The generated top and the RTL, which all such layers share as they do FINN's library."""
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        top = folder / f"{self.get_verilog_top_module_name()}.v"
        files = (top, *needed_files(hardware_folder() / "rtl", MODULE))
        return [str(path.resolve()) if abspath else path.name for path in files]

    def code_generation_ipi(self) -> list[str]:
        """Tcl that adds the sources and instantiates the top in Vivado's block design."""
        lines = [f"add_files -norecurse {path}" for path in self.get_rtl_file_list(abspath=True)]
        top, name = self.get_verilog_top_module_name(), self.onnx_node.name
        return [*lines, f"create_bd_cell -type module -reference {top} {name}"]


rtl.custom_op[OP] = SerialUnitRtl
fpgadataflow.custom_op[OP.removesuffix("_rtl")] = SerialProduct  # FINN looks for it to verify
