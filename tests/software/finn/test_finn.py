"""FINN itself, in its own environment: its graphs keep our integers, and it estimates."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import bitfold
from bitfold.cli.main import run
from bitfold.cli.show import grouped
from bitfold.compiler.pipeline import run_pipeline
from bitfold.errors import ToolFailed
from bitfold.finn.build import build_files
from bitfold.finn.estimate import (
    finn_estimate,
    finn_plan,
    finn_samples,
    read_result,
    run_finn,
)
from bitfold.finn.prepare import export_qonnx, input_to_integers, spell_out
from bitfold.synth.environment import EnvironmentRunner
from bitfold.synth.plan import BuildPlan, Command, execute

sys.path.insert(0, str(Path(__file__).parent))
from finn_graphs import bipolar, residual, windows
from qonnx_cases import LEFT, TAKEN, padded_signs

from demo_net import demo_model
from zoo import ZOO, needs_zoo

pytestmark = [pytest.mark.finn, pytest.mark.slow]
GIVEN = {"fps": 2000.0, "clock_mhz": 100.0, "board": "Pynq-Z1"}


@pytest.mark.parametrize("make", [residual, windows, bipolar])
def test_finn_keeps_the_integers_of_branches_and_pools(make, home: Path, tmp_path: Path) -> None:
    found = finn_estimate(run_pipeline(make()), home=home, cache=tmp_path, **GIVEN)
    assert found.differ == {"file": 0, "step_streamline": 0, "step_convert_to_hw": 0}
    assert found.compared > 0
    assert found.fps >= GIVEN["fps"]
    assert found.luts > 0


def test_finn_estimates_the_demo_network_and_writes_its_sources(home: Path, tmp_path: Path) -> None:
    graph = bitfold.read_graph(demo_model(tmp_path / "demo.onnx"))
    found = finn_estimate(graph, home=home, cache=tmp_path / "cache", **GIVEN)
    assert set(found.differ.values()) == {0}
    kinds = [layer.kind for layer in found.nodes]
    assert sum(kind.startswith("MVAU") for kind in kinds) == 4
    slowest = max(layer.cycles for layer in found.nodes)
    assert found.fps == pytest.approx(1e6 * GIVEN["clock_mhz"] / slowest)
    assert found.generated[".cpp"] > 0
    assert found.generated[".v"] > 0


def test_finn_takes_the_exported_qonnx_file(home: Path, tmp_path: Path) -> None:
    """Streamlined by FINN's own rules: input integers in the order of the file, a class out."""
    demo = demo_model(tmp_path / "demo.onnx")
    export_qonnx(demo, tmp_path / "finn.onnx", top_k=True)
    graph = bitfold.read_graph(demo)
    samples = np.load(io.BytesIO(finn_samples(graph, 3)))
    x = np.moveaxis(samples["x"], -1, 1)
    y = (samples["y"] + 0.0) * graph.output_map.scale + graph.output_map.bias
    classes = y.argmax(1, keepdims=True).astype(np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, x=x, y=classes)
    model = onnx.load(tmp_path / "finn.onnx").SerializeToString()
    plan = finn_plan(model, buffer.getvalue(), **GIVEN)
    found = run_finn(plan, home=home, cache=tmp_path / "cache", clock_mhz=100.0)
    assert set(found.differ.values()) == {0}
    assert "LabelSelect_hls" in [layer.kind for layer in found.nodes]


@pytest.mark.parametrize("make", [*TAKEN, *LEFT, padded_signs])
def test_finns_default_steps_leave_what_is_said_of_them(make, home: Path, tmp_path: Path) -> None:
    model = make()
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    graph = bitfold.read_graph(tmp_path / "model.onnx")
    spell_out(model)
    input_to_integers(model, "model")
    samples = np.load(io.BytesIO(finn_samples(graph, 1)))
    buffer = io.BytesIO()
    np.savez(buffer, x=np.moveaxis(samples["x"], -1, 1), y=samples["y"])
    plan = finn_plan(model.SerializeToString(), buffer.getvalue(), **GIVEN)
    if make in TAKEN:
        run_finn(plan, home=home, cache=tmp_path, clock_mhz=100.0)
        return
    words = "no layer for a part of the network" if make in LEFT else "Im2Col dtype must allow pad"
    with pytest.raises(ToolFailed, match=words):
        run_finn(plan, home=home, cache=tmp_path, clock_mhz=100.0)


@needs_zoo
@pytest.mark.parametrize("name", ["zoo_mnist_tfc_1w1a", "zoo_unsw_nb15_mlp_w2a2"])
def test_finn_takes_networks_of_others(name: str, home: Path, tmp_path: Path) -> None:
    graph = bitfold.read_graph(ZOO / f"{name}.onnx")
    found = finn_estimate(graph, home=home, cache=tmp_path, **GIVEN)
    assert set(found.differ.values()) == {0}


CONFIGURED = """
import json, sys
from pathlib import Path
import finn.xsi
finn.xsi.SimEngine = object
sys.modules["finn.custom_op.fpgadataflow.layernorm"] = type(sys)("layernorm")
sys.modules["finn.custom_op.fpgadataflow.layernorm"].LayerNorm = type("LayerNorm", (), {})
from finn.builder.build_dataflow_config import DataflowBuildConfig, default_build_dataflow_steps
read = DataflowBuildConfig.from_json(Path("dataflow_build_config.json").read_text())
found = [read.board, read.target_fps, "step_minimize_bit_width" in default_build_dataflow_steps]
Path("found.json").write_text(json.dumps(found))
"""


def test_finn_reads_the_configuration_of_a_build(home: Path, tmp_path: Path) -> None:
    files = build_files(run_pipeline(bipolar()), board="Pynq-Z2", fps=77, clock_mhz=50)
    plan = BuildPlan(
        name="configured",
        files={**files, "read.py": CONFIGURED.encode()},
        commands=(Command(tool="python", args=("read.py",), log="finn.log"),),
        outputs=("found.json",),
    )
    made = execute(plan, tmp_path, EnvironmentRunner(home / "bin/python", "finn"))
    assert json.loads((made.folder / "found.json").read_text()) == ["Pynq-Z2", 77, True]


def test_what_finn_says_no_to_is_one_message(home: Path, tmp_path: Path) -> None:
    graph = run_pipeline(bipolar())
    with pytest.raises(ToolFailed, match=r"^python: 'fc' is no MVAU.*finn\.log$"):
        finn_estimate(graph, home=home, cache=tmp_path, bitserial=("fc",), **GIVEN)


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "finn.json").write_text(json.dumps({"nodes": []}))
    with pytest.raises(ToolFailed, match=r"not what finn-plus 1\.6\.1 reports"):
        read_result(tmp_path / "finn.json", 100.0)


def test_the_command_puts_both_flows_into_a_table_and_a_file(home, tmp_path, capsys) -> None:
    model = demo_model(tmp_path / "demo.onnx")
    given = ["estimate", str(model), "--home", str(home)]
    assert run([*given, "--fps", "2000"]) == 0
    said = capsys.readouterr().out
    record = json.loads((tmp_path / "finn.json").read_text())
    for name, flow in (("FINN ", record), ("bitfold, bit-serial", record["bitfold"])):
        (line,) = (each for each in said.splitlines() if each.startswith(f" {name}"))
        assert f" {grouped(flow['fps'])} " in line
        assert f" {grouped(flow['luts'])} " in line
    assert record["bitfold"]["fps"] >= record["fps"] >= record["wanted_fps"] == 2000
    assert "integers differ from the golden model: 0 after file, 0 after" in said
    assert run([*given, "--fps", "1e6"]) == 2
    assert (
        "frames a second, 1e+06 are asked for; bitfold's accelerator does not: an initiation"
        in (capsys.readouterr().err)
    )
