"""Runs where FINN runs: layers of FINN's made bit-serial, and what they come to, as found.json.

python serial_in_finn.py job.json
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from inside import without_vivado

PART = "xc7z020clg400-1"


def mvau(case: dict[str, Any], style: str = "rtl") -> Any:
    """A model of one MVAU of FINN's."""
    from onnx import TensorProto, helper
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.basic import gen_finn_dt_tensor, qonnx_make_model

    np.random.seed(case["seed"])
    idt, wdt = DataType[case["idt"]], DataType[case["wdt"]]
    shape = [1, case["pixels"], case["mw"]]
    node = helper.make_node(
        f"MVAU_{style}",
        ["x", "w"],
        ["y"],
        name=f"MVAU_{style}_0",
        domain=f"finn.custom_op.fpgadataflow.{style}",
        backend="fpgadataflow",
        MW=case["mw"],
        MH=case["mh"],
        PE=1,
        SIMD=1,
        inputDataType=idt.name,
        weightDataType=wdt.name,
        outputDataType="INT32",
        accDataType="INT32",
        noActivation=case.get("noActivation", 1),
        binaryXnorMode=case.get("binaryXnorMode", 0),
        mem_mode=case.get("mem_mode", "internal_decoupled"),
        numInputVectors=shape[:2],
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [*shape[:2], case["mh"]])
    graph = helper.make_graph([node], "layer", [x], [y])
    model = ModelWrapper(qonnx_make_model(graph))
    model.set_tensor_datatype("x", idt)
    model.set_tensor_datatype("w", wdt)
    model.set_initializer("w", gen_finn_dt_tensor(wdt, (case["mw"], case["mh"])))
    from finn.transformation.fpgadataflow.minimize_accumulator_width import (
        MinimizeAccumulatorWidth,
    )

    return model.transform(MinimizeAccumulatorWidth())


def layer(case: dict[str, Any]) -> dict[str, Any]:
    """One layer: FINN's own results and beats, and what the bit-serial one is."""
    from finn.core.onnx_exec import execute_onnx
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
    from finn.util.data_packing import npy_to_rtlsim_input
    from finn.util.verification import despecialize_model
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.util.basic import gen_finn_dt_tensor

    from bitfold.finn.serial_select import make_bit_serial

    model = mvau(case)
    x = gen_finn_dt_tensor(model.get_tensor_datatype("x"), model.get_tensor_shape("x"))
    y = execute_onnx(despecialize_model(model), {"x": x})["y"]
    make_bit_serial(model, "all", PART)
    (node,) = model.graph.node
    serial = getCustomOp(node)
    found = execute_onnx(model, {"x": x})["y"]
    for name in ("PE", "SIMD", "WP", "AP"):
        serial.set_nodeattr(name, case[name])
    model = model.transform(PrepareIP(PART, 10.0))
    serial = getCustomOp(model.graph.node[0])
    folder = Path(serial.get_nodeattr("code_gen_dir_ipgen"))
    sides = (
        (x, serial.get_folded_input_shape(), serial.get_input_datatype(), "in"),
        (y, serial.get_folded_output_shape(), serial.get_output_datatype(), "out"),
    )
    beats = {
        side: npy_to_rtlsim_input(values.reshape(shape), kind, kind.bitwidth() * shape[-1])
        for values, shape, kind, side in sides
    }
    ports = serial.get_verilog_top_module_intf_names()
    return {
        "kind": node.op_type,
        "differ": int((found != y).sum()),
        "results": [float(v) for v in y.reshape(-1)],
        "compared": int(y.size),
        "beats": beats,
        "widths": {side: ports[f"{side}_axis"][0][1] for side in ("s", "m")},
        "ports": ports["s_axis"] + ports["m_axis"],
        "rtlsim": through_rtlsim(model, x, beats),
        "cycles": serial.get_exp_cycles(),
        "fill": serial.unit.fill,
        "cost": serial.node_res_estimation(PART),
        "out_type": serial.get_output_datatype().name,
        "top": serial.get_verilog_top_module_name(),
        "sources": {p.name: p.read_text() for p in sorted(folder.glob("*.[vm]*"))},
        "rtl": serial.get_rtl_file_list(),
        "there": all(Path(p).is_file() for p in serial.get_rtl_file_list(abspath=True)),
        "tcl": serial.code_generation_ipi(),
    }


def through_rtlsim(model: Any, x: Any, beats: dict[str, list[int]]) -> list[float]:
    """FINN's execution of the RTL, with a simulator that answers `beats` with what they give."""
    from finn.core.onnx_exec import execute_onnx
    from qonnx.custom_op.registry import getCustomOp

    node = model.graph.node[0]
    serial = getCustomOp(node)
    kind = type(serial)

    def simulated(unit: Any, sim: Any, io: dict[str, dict[str, list[int]]]) -> None:
        assert io["inputs"] == {"in0": beats["in"]}
        io["outputs"]["out0"] = beats["out"]
        unit.set_nodeattr("cycles_rtlsim", 77)

    kind.get_rtlsim = kind.reset_rtlsim = kind.close_rtlsim = lambda *_: None
    kind.rtlsim_multi_io = simulated
    serial.set_nodeattr("exec_mode", "rtlsim")
    found = execute_onnx(model, {"x": x})["y"]
    assert getCustomOp(node).get_nodeattr("cycles_rtlsim") == 77
    serial.set_nodeattr("exec_mode", "cppsim")
    np.testing.assert_array_equal(execute_onnx(model, {"x": x})["y"], found)
    return [float(v) for v in found.reshape(-1)]


def refused(case: dict[str, Any]) -> str:
    """What is said of a layer that cannot be bit-serial."""
    from bitfold.finn.serial_select import make_bit_serial

    try:
        make_bit_serial(mvau(case, "hls"), case["which"], PART)
    except ValueError as error:
        return str(error)
    return ""


def stitched(job: dict[str, Any]) -> dict[str, Any]:
    """A whole network with FINN's FIFOs and converters, up to what Vivado would be given."""
    from finn.builder import build_dataflow_config as config
    from finn.builder import build_dataflow_steps as steps
    from finn.transformation.fpgadataflow.create_stitched_ip import CreateStitchedIP
    from finn.transformation.fpgadataflow.insert_dwc import InsertDWC
    from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.general import GiveUniqueNodeNames
    from qonnx.transformation.infer_shapes import InferShapes

    from bitfold.finn.serial_select import bit_serial_step

    given = config.DataflowBuildConfig(
        output_dir="out",
        board="Pynq-Z1",
        synth_clk_period_ns=10.0,
        target_fps=job["fps"],
        standalone_thresholds=True,
        generate_outputs=[config.DataflowOutputType.ESTIMATE_REPORTS],
    )
    model = ModelWrapper("model.onnx").transform(InferShapes())
    for name in config.estimate_only_dataflow_steps:
        model = getattr(steps, name)(model, given)
        if name == "step_target_fps_parallelization":
            model = bit_serial_step("all")(model, given)
    for change in (
        InsertDWC(),
        InsertFIFO(create_shallow_fifos=True),
        SpecializeLayers(PART),
        GiveUniqueNodeNames(),
        PrepareIP(PART, 10.0),
    ):
        model = model.transform(change)
    said = ""
    try:
        model.transform(CreateStitchedIP(PART, 10.0))
    except FileNotFoundError as error:  # there is no Vivado
        said = str(error)
    (script,) = Path(os.environ["FINN_BUILD_DIR"]).rglob("make_project.tcl")
    return {
        "kinds": [node.op_type for node in model.graph.node],
        "names": [node.name for node in model.graph.node],
        "tcl": script.read_text(),
        "said": said,
    }


def main() -> None:
    """Do the job."""
    job = json.loads(Path(sys.argv[1]).read_text())
    without_vivado()
    found = {
        "layers": [layer(case) for case in job.get("layers", ())],
        "refused": [refused(case) for case in job.get("refused", ())],
    }
    if "fps" in job:
        found["stitched"] = stitched(job)
    Path("found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
