"""Runs inside FINN's own environment: FINN's front end on one file, up to generated sources.

    python inside.py job.json    (beside model.onnx and samples.npz; writes finn.json)

Vivado is not needed: what would start it is never reached. What is imported of bitfold lies beside
this file: see carried.py.
"""

import json
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bitfold.finn.binary_weights import widen_binary_weights


def without_vivado() -> None:
    """FINN imports Vivado's simulator and torch at its start; nothing here uses them."""
    import finn.xsi

    finn.xsi.SimEngine = object
    name = "finn.custom_op.fpgadataflow.layernorm"
    layer_norm = ModuleType(name)
    layer_norm.__dict__["LayerNorm"] = type("LayerNorm", (), {})
    sys.modules[name] = layer_norm


def differing(model: Any, x: Any, y: Any) -> int:
    """Integers in which FINN's Python execution of the graph differs from y (N, ...)."""
    from finn.core.onnx_exec import execute_onnx

    read, made = model.graph.input[0].name, model.graph.output[0].name
    count, shape = 0, model.get_tensor_shape(read)  # FINN may have left a Flatten to the host
    for number in range(len(x)):
        found = execute_onnx(model, {read: x[number].reshape(shape)})[made]
        count += int((found.reshape(-1) != y[number].reshape(-1)).sum())
    return count


def main() -> None:
    """Do the job; the last step's failure is FINN's own exception."""
    job = json.loads(Path(sys.argv[1]).read_text())
    without_vivado()
    from finn.builder import build_dataflow_config as config
    from finn.builder import build_dataflow_steps as steps
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

    given = config.DataflowBuildConfig(
        output_dir="out",
        board=job["board"],
        synth_clk_period_ns=job["period_ns"],
        target_fps=job["fps"],
        standalone_thresholds=True,
        mvau_wwidth_max=job["wwidth_max"],
        generate_outputs=[config.DataflowOutputType.ESTIMATE_REPORTS],
    )
    samples = np.load("samples.npz", allow_pickle=False)
    seconds, differ, kept = {}, {}, {}
    model = ModelWrapper("model.onnx").transform(InferShapes())
    differ["file"] = differing(model, samples["x"], samples["y"])
    for name in config.estimate_only_dataflow_steps:
        began = time.monotonic()
        model = getattr(steps, name)(model, given)
        seconds[name] = time.monotonic() - began
        if name in ("step_streamline", "step_convert_to_hw"):
            differ[name] = differing(model, samples["x"], samples["y"])
        if name == "step_target_fps_parallelization" and job["bitserial"]:
            from bitfold.finn.serial_select import make_bit_serial

            kept = make_bit_serial(model, job["bitserial"], given._resolve_fpga_part())
    if job["bitserial"]:
        from finn.util.verification import despecialize_model  # to layers that run in Python

        differ["bit-serial"] = differing(despecialize_model(model), samples["x"], samples["y"])
    began = time.monotonic()
    widen_binary_weights(model)
    part = given._resolve_fpga_part()
    model = model.transform(PrepareIP(part, job["period_ns"]))
    seconds["PrepareIP"] = time.monotonic() - began
    reports = Path("out/report")
    read = {
        name: json.loads((reports / f"{name}.json").read_text())
        for name in (
            "estimate_layer_cycles",
            "estimate_layer_resources",
            "estimate_network_performance",
        )
    }
    found = {
        "part": part,
        "nodes": [[node.name, node.op_type] for node in model.graph.node],
        "differ": differ,
        "compared": int(samples["y"].size),
        "seconds": seconds,
        "generated": generated(model),
        "kept": kept,
        **read,
    }
    Path("finn.json").write_text(json.dumps(found, indent=1))


def generated(model: Any) -> dict[str, int]:
    """Files of generated sources by their ending."""
    from qonnx.custom_op.registry import getCustomOp

    count: dict[str, int] = {}
    for node in model.graph.node:
        folder = getCustomOp(node).get_nodeattr("code_gen_dir_ipgen")
        for path in Path(folder).iterdir() if folder else ():
            count[path.suffix] = count.get(path.suffix, 0) + 1
    return count


if __name__ == "__main__":
    main()
