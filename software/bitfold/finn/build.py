"""`bitfold finn`: a folder that FINN builds a bitstream from, and the build itself."""

import io
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bitfold.errors import ToolFailed
from bitfold.files import check_replaceable, digest, new_folder, write_bytes, write_json
from bitfold.finn.boards import ZYNQ, check_asked
from bitfold.finn.carried import carried_files
from bitfold.finn.estimate import BitSerial, finn_samples
from bitfold.finn.explain import LOG, explain
from bitfold.finn.integers import to_finn
from bitfold.ir.graph import Graph
from bitfold.synth.finn_docker import TOOL, FinnDocker
from bitfold.synth.plan import BuildPlan, Command, execute

KIND = "finn-build"
SCHEMA = 1
BITFILE, HANDOFF = "out/bitfile/finn-accel.bit", "out/bitfile/finn-accel.hwh"
_SCRIPT, _CONFIG = "build.py", "dataflow_build_config.json"
_MARKS = (_CONFIG, "synth.json")  # of the folders that are made here
_HERE = Path(__file__).parent
_REPORTS = (
    *("estimate_layer_cycles", "estimate_layer_resources", "estimate_network_performance"),
    *("rtlsim_performance", "ooc_synth_and_timing", "post_synth_resources", "bit_serial"),
)


def build_files(
    graph: Graph, *, board: str, fps: float, clock_mhz: float, bitserial: BitSerial = ()
) -> dict[str, bytes]:
    """What a build starts from, by name: network, configuration, samples, script.

    The builder compares its own graphs and the simulated hardware with the samples.
    bitserial: MVAUs whose place bit-serial layers take. Raises: ConfigError; UnsupportedOp for
    what FINN has no layer for.
    """
    check_asked(board, ZYNQ, fps, clock_mhz)
    samples = np.load(io.BytesIO(finn_samples(graph, 1)))
    config = {
        "output_dir": "out",
        "board": board,
        "shell_flow_type": "vivado_zynq",
        "synth_clk_period_ns": 1000 / clock_mhz,
        "target_fps": math.ceil(fps),
        "standalone_thresholds": True,
        "mvau_wwidth_max": 1 << 20,
        "generate_outputs": [
            *("estimate_reports", "stitched_ip", "rtlsim_performance", "out_of_context_synth"),
            *("bitfile", "pynq_driver", "deployment_package"),
        ],
        "verify_steps": ["streamlined_python", "folded_hls_cppsim", "stitched_ip_rtlsim"],
        "verify_input_npy": "input.npy",
        "verify_expected_output_npy": "expected_output.npy",
        "enable_build_pdb_debug": False,  # FINN's default waits for a person, for ever
    }
    return {
        "model.onnx": to_finn(graph).SerializeToString(deterministic=True),
        "input.npy": _npy(samples["x"]),
        "expected_output.npy": _npy(samples["y"]),
        _CONFIG: json.dumps(config, indent=1).encode() + b"\n",
        _SCRIPT: (_HERE / "docker_build.py").read_bytes(),
        **({"bitserial.json": json.dumps(bitserial).encode()} if bitserial else {}),
        **carried_files(bitserial=bool(bitserial)),
    }


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def finn_plan(files: Mapping[str, bytes]) -> BuildPlan:
    """The build in FINN's container. Its exit status says nothing: the bitfile is looked for."""
    command = Command(tool=TOOL, args=("python", f"{{folder}}/{_SCRIPT}"), log=LOG)
    return BuildPlan(name="finn-bitstream", files=files, commands=(command,), outputs=(BITFILE,))


def write_plan(files: Mapping[str, bytes], out: Path) -> None:
    """The folder of a build that is not run, replaced whole."""
    with new_folder(out, *_MARKS) as folder:
        for name, data in files.items():
            write_bytes(folder / name, data)


def finn_bitstream(files: Mapping[str, bytes], runner: FinnDocker, out: Path, cache: Path) -> Path:
    """Build in FINN's container; top.bit, top.hwh where there is one, and synth.json in `out`.

    Raises: ToolNotFound for Docker, FINN or Vivado; ToolFailed with the reason as far as the log
    tells.
    """
    check_replaceable(out, *_MARKS)
    built = execute(finn_plan(files), cache, runner, explain)
    reports = {}
    for name in _REPORTS:
        path = built.folder / "out" / "report" / f"{name}.json"
        if path.is_file():
            reports[name] = _report(path)
    with new_folder(out, *_MARKS) as folder:
        shutil.copyfile(built.folder / BITFILE, folder / "top.bit")
        if (built.folder / HANDOFF).is_file():
            shutil.copyfile(built.folder / HANDOFF, folder / "top.hwh")
        record = {
            "kind": KIND,
            "schema": SCHEMA,
            "sha256": digest(folder / "top.bit"),
            "tools": dict(built.tools),
            "seconds": built.seconds,
            "reports": reports,
        }
        write_json(folder / "synth.json", record)
    return out / "top.bit"


def _report(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ToolFailed(f"{path}: FINN wrote a report that is no JSON ({error})") from None
