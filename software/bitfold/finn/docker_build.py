"""Runs inside FINN's container: the build that dataflow_build_config.json describes.

    python build.py    (finds the configuration, model.onnx and the samples beside itself)

Steps are FINN's own, in its order, with one more, see `widen_binary_weights`, and with bit-serial
layers where bitserial.json names some. What is imported of bitfold lies beside this file: see
carried.py.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from bitfold.finn.binary_weights import widen_binary_weights


def step_widen_binary_weights(model: Any, cfg: Any) -> Any:
    """`widen_binary_weights` as a step of FINN's builder."""
    del cfg
    widen_binary_weights(model)
    return model


def main() -> int:
    """The builder's own status."""
    os.chdir(Path(__file__).resolve().parent)
    from finn.builder.build_dataflow import build_dataflow_cfg
    from finn.builder.build_dataflow_config import DataflowBuildConfig, default_build_dataflow_steps

    config = DataflowBuildConfig.from_json(Path("dataflow_build_config.json").read_text())
    steps = list(default_build_dataflow_steps)
    wanted = Path("bitserial.json")
    if wanted.is_file():
        from bitfold.finn.serial_select import bit_serial_step

        folded = steps.index("step_target_fps_parallelization")
        steps.insert(folded + 1, bit_serial_step(json.loads(wanted.read_text())))
    steps.insert(steps.index("step_minimize_bit_width") + 1, step_widen_binary_weights)
    config.steps = steps
    return int(build_dataflow_cfg("model.onnx", config))


if __name__ == "__main__":
    sys.exit(main())
