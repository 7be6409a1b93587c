"""Bit-serial layers inside FINN: its graphs, its estimates, its sources, simulated."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import bitfold
from bitfold.compiler.pipeline import run_pipeline
from bitfold.errors import ToolFailed
from bitfold.finn import estimate
from bitfold.finn.build import build_files
from bitfold.finn.carried import carried_files
from bitfold.finn.estimate import finn_estimate
from bitfold.finn.integers import to_finn
from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import build, lint
from bitfold.synth.environment import EnvironmentRunner
from bitfold.synth.plan import BuildPlan, Command, execute

sys.path.insert(0, str(Path(__file__).parents[2] / "hardware"))
from harness import CACHE, rtl_sources

from demo_net import demo_model
from integer_graphs import mlp

pytestmark = [pytest.mark.finn, pytest.mark.slow]
GIVEN = {"fps": 2000.0, "clock_mhz": 100.0, "board": "Pynq-Z1"}
KIND = "MVAU_bitserial_rtl"
HERE = Path(__file__).parent
HARDWARE = HERE.parents[1] / "hardware"
INSIDE = Path(estimate.__file__).with_name("inside.py")

# The script of a build, without what needs Vivado: the steps behind FINN's estimates.
CUT = """
import os

from inside import without_vivado

without_vivado()
from finn.builder.build_dataflow_config import default_build_dataflow_steps as steps

del steps[steps.index("step_generate_estimate_reports") + 1 :]
import build

os.environ["XILINX_VIVADO"] = "none/2022.2"  # written down at the end, as the tool's version
raise SystemExit(build.main())
"""
LAYER = {"mw": 12, "mh": 6, "pixels": 8, "seed": 1}
LAYERS = {
    "unsigned": {"idt": "UINT3", "wdt": "INT2", "PE": 2, "SIMD": 4, "WP": 1, "AP": 1},
    # A whole vector a word; plane groups that do not divide the planes.
    "signed": {"idt": "INT4", "wdt": "INT3", "PE": 3, "SIMD": 12, "WP": 2, "AP": 3},
    "bipolar": {"idt": "INT4", "wdt": "BIPOLAR", "PE": 1, "SIMD": 6, "WP": 1, "AP": 2},
    # Unsigned weights take a plane more; no result is negative.
    "never_negative": {"idt": "BINARY", "wdt": "UINT2", "PE": 6, "SIMD": 3, "WP": 3, "AP": 1},
}
REFUSED = {
    "another name": ({"which": ["MVAU_hls_1"]}, "'MVAU_hls_1' is no MVAU of FINN's; there are"),
    "bipolar": ({"idt": "BIPOLAR", "wdt": "BIPOLAR"}, "its activations are bipolar"),
    "xnor": ({"idt": "BINARY", "wdt": "BINARY", "binaryXnorMode": 1}, "activations are bipolar"),
    "thresholds": ({"noActivation": 0}, "build with standalone_thresholds"),
    "wide activations": ({"idt": "UINT9"}, "its activations are UINT9; integers of 8 bits"),
    "wide weights": ({"wdt": "UINT8"}, "its weights are UINT8"),
    "weights outside": ({"mem_mode": "external"}, "its weights are not inside"),
}


@pytest.fixture(scope="session")
def found(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What FINN makes of all of the above, and of a network on its way to Vivado."""
    plain = LAYER | {"idt": "UINT3", "wdt": "INT2", "which": ["MVAU_hls_0"]}
    job = {
        "layers": [LAYER | case for case in LAYERS.values()],
        "refused": [plain | case for case, _ in REFUSED.values()],
        "fps": 1_000_000,
    }
    plan = BuildPlan(
        name="serial",
        files={
            **carried_files(bitserial=True),
            "inside.py": INSIDE.read_bytes(),
            "serial_in_finn.py": (HERE / "serial_in_finn.py").read_bytes(),
            "model.onnx": to_finn(run_pipeline(mlp())).SerializeToString(),
            "job.json": json.dumps(job).encode(),
        },
        commands=(Command(tool="python", args=("serial_in_finn.py", "job.json"), log="finn.log"),),
        outputs=("found.json",),
    )
    folder = tmp_path_factory.mktemp("serial")
    made = execute(plan, folder, EnvironmentRunner(home / "bin" / "python", "finn"))
    return json.loads((made.folder / "found.json").read_text())


def layer_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return found["layers"][list(LAYERS).index(name)]


@pytest.mark.rtl
@pytest.mark.parametrize("name", LAYERS)
def test_the_generated_top_gives_finns_beats_in_the_cycles_estimated(
    name: str, found: dict[str, Any], tmp_path: Path
) -> None:
    layer = layer_of(found, name)
    for file, text in layer["sources"].items():
        (tmp_path / file).write_text(text)
    (tmp_path / "layer.json").write_text(json.dumps(layer))
    sources = [*rtl_sources(), tmp_path / f"{layer['top']}.v"]
    assert not lint(sources, layer["top"], {})
    made = build(sources, layer["top"], CACHE)
    env = {"FINN_LAYER": str(tmp_path / "layer.json")}
    (result,) = simulate(made, "bench_finn_top", tmp_path, search=[HARDWARE], env=env, seed=1)
    assert not result.failure, result.failure


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_what_finn_asks_of_one(name: str, found: dict[str, Any]) -> None:
    layer, case = layer_of(found, name), LAYER | LAYERS[name]
    assert layer["kind"] == KIND
    assert layer["differ"] == 0
    assert layer["compared"] == case["pixels"] * case["mh"]
    assert layer["rtlsim"] == layer["results"]
    assert layer["cost"]["LUT"] > 100
    assert layer["cost"]["DSP"] == 0
    assert layer["there"]
    assert layer["rtl"][0] == f"{layer['top']}.v"
    assert "bf_finn_mvu.sv" in layer["rtl"]
    assert len(layer["tcl"]) == len(layer["rtl"]) + 1
    top = layer["top"]
    assert layer["tcl"][-1] == f"create_bd_cell -type module -reference {top} {top}"
    assert all(width % 8 == 0 for _, width in layer["ports"])


def test_cycles_are_products_of_bits(found: dict[str, Any]) -> None:
    """8 vectors of 12 x 6, UINT3 x INT2 on 2 x 4 lanes: 8 * 3 * 3 * 3 * 2."""
    assert layer_of(found, "unsigned")["cycles"] == 432
    assert layer_of(found, "never_negative")["cycles"] == 8 * 4
    assert layer_of(found, "never_negative")["out_type"].startswith("UINT")


@pytest.mark.parametrize("name", REFUSED)
def test_what_stays_finns_is_refused_by_name(name: str, found: dict[str, Any]) -> None:
    said = found["refused"][list(REFUSED).index(name)]
    assert REFUSED[name][1] in said
    assert "MVAU_hls_0" in said


def test_finn_stitches_a_network_up_to_vivado(found: dict[str, Any]) -> None:
    made = found["stitched"]
    assert "vivado not found" in made["said"]
    assert made["kinds"].count(KIND) == 3
    assert {"StreamingFIFO_rtl", "StreamingDataWidthConverter_rtl"} <= set(made["kinds"])
    pairs = zip(made["names"], made["names"][1:], strict=False)
    for before, after in pairs:
        line = f"[get_bd_intf_pins {before}/out0_V] [get_bd_intf_pins {after}/in0_V]"
        assert line in made["tcl"]
    for number in range(3):
        name = f"{KIND}_{number}"
        assert f"create_bd_cell -type module -reference {name} {name}" in made["tcl"]
        assert f"/{name}.v\n" in made["tcl"]


@pytest.fixture
def demo(tmp_path: Path) -> Any:
    return bitfold.read_graph(demo_model(tmp_path / "demo.onnx"))


def test_all_layers_of_the_demo_network(demo: Any, home: Path, tmp_path: Path) -> None:
    plain = finn_estimate(demo, home=home, cache=tmp_path, **GIVEN)
    serial = finn_estimate(demo, home=home, cache=tmp_path, bitserial="all", **GIVEN)
    assert serial.differ.pop("bit-serial") == 0
    assert serial.differ == plain.differ
    assert set(serial.differ.values()) == {0}
    assert [n.kind for n in serial.nodes].count(KIND) == 4
    assert not any(n.kind in ("MVAU_hls", "MVAU_rtl") for n in serial.nodes)
    assert serial.fps == plain.fps
    assert plain.dsps > serial.dsps == 0
    assert all(n.luts > 0 for n in serial.nodes if n.kind == KIND)
    assert serial.generated[".mem"] == 4
    assert serial.kept == {}


def test_layers_are_picked_by_name_or_where_they_are_smaller(
    demo: Any, home: Path, tmp_path: Path
) -> None:
    names = ["MVAU_rtl_0", "MVAU_hls_1"]
    picked = finn_estimate(demo, home=home, cache=tmp_path, bitserial=names, **GIVEN)
    kinds = [n.kind for n in picked.nodes]
    assert (kinds.count(KIND), kinds.count("MVAU_rtl"), kinds.count("MVAU_hls")) == (2, 1, 1)
    assert picked.differ["bit-serial"] == 0
    smaller = finn_estimate(demo, home=home, cache=tmp_path, bitserial="smaller", **GIVEN)
    kinds = [n.kind for n in smaller.nodes]
    assert 0 < kinds.count(KIND) < 4
    assert len(smaller.kept) == 4 - kinds.count(KIND)
    assert all("LUTs bit-serial" in reason for reason in smaller.kept.values())
    with pytest.raises(ToolFailed, match="'fc' is no MVAU of FINN's; there are: MVAU_rtl_0"):
        finn_estimate(demo, home=home, cache=tmp_path, bitserial=["fc"], **GIVEN)


def test_the_script_of_a_build_puts_them_in(demo: Any, home: Path, tmp_path: Path) -> None:
    files = build_files(demo, bitserial="smaller", **GIVEN)
    config = json.loads(files["dataflow_build_config.json"])
    config |= {"generate_outputs": ["estimate_reports"], "verify_steps": ["streamlined_python"]}
    reports = [f"out/report/{name}.json" for name in ("bit_serial", "estimate_layer_resources")]
    plan = BuildPlan(
        name="cut",
        files={
            **files,
            "dataflow_build_config.json": json.dumps(config).encode(),
            "inside.py": INSIDE.read_bytes(),
            "cut.py": CUT.encode(),
        },
        commands=(Command(tool="python", args=("cut.py",), log="finn.log"),),
        outputs=tuple(reports),
    )
    made = execute(plan, tmp_path, EnvironmentRunner(home / "bin" / "python", "finn"))
    serial, layers = (json.loads((made.folder / name).read_text()) for name in reports)
    found = [figures for name, figures in layers.items() if name.startswith(KIND)]
    assert 0 < len(found) == len(serial["bit_serial"]) == 4 - len(serial["kept"])
    assert all("LUTs bit-serial" in reason for reason in serial["kept"].values())
    assert all(figures["LUT"] > 0 and figures["DSP"] == 0 for figures in found)
    (compared,) = (made.folder / "out" / "verification_output").iterdir()
    assert compared.stem.endswith("SUCCESS")
