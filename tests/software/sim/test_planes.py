"""Planes of every layer, chosen by the host at run time: every integer and every cycle."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bitfold.cli import main
from bitfold.compiler.compile import compile_graph
from bitfold.compiler.design import Design
from bitfold.compiler.mode_file import Kept
from bitfold.compiler.modes import masked_modes
from bitfold.errors import ConfigError
from bitfold.ir import Graph
from bitfold.ir.ops import Sum
from bitfold.sim.planes import plane_rows, with_planes
from bitfold.sim.verify import verify_design
from integer_graphs import ChainBuilder, digits_like
from qonnx_nets import Net

Asked = Mapping[str, tuple[int, int]]
DIGITS: list[Asked] = [
    {},
    {"conv1": (2, 3), "conv2": (1, 2), "fc": (2, 1)},
    {"conv1": (1, 2), "conv2": (2, 3), "fc": (3, 2)},
]


def compiled(graph: Graph, modes: Sequence[Asked], folder: Path, **wish: object) -> Design:
    kept = [{k: Kept(w_bits=w, a_bits=a) for k, (w, a) in mode.items()} for mode in modes]
    masked = masked_modes(folder, graph, kept)
    return compile_graph(graph, folder, source={}, modes=masked, **wish)


def written(folder: Path, *modes: Asked) -> Path:
    """A file for the host."""
    layers = [
        {"layers": {k: {"w_bits": w, "a_bits": a} for k, (w, a) in mode.items()}} for mode in modes
    ]
    path = folder / "planes.json"
    path.write_text(json.dumps({"kind": "modes", "schema": 1, "modes": layers}))
    return path


def proven(folder: Path, cache: Path, planes: Path | None = None):
    found = verify_design(folder, frames=24, protocol_frames=6, cache=cache, planes=planes)
    assert found.mismatches == 0
    assert all(t.frames_equal for t in found.timing)
    assert [m.interval_measured for m in found.modes] == [m.interval_predicted for m in found.modes]
    return found


@pytest.mark.rtl
def test_layers_take_the_planes_that_the_host_writes(tmp_path, verilator_cache):
    """Mixtures of what the modes hold; in the run with stalls they change before every frame, while
    others are inside."""
    folder = tmp_path / "design"
    compiled(digits_like(), DIGITS, folder, fps=20_000)
    found = proven(folder, verilator_cache)
    assert found.most_inside >= 1
    mixed = written(
        tmp_path,
        {"conv1": (1, 2), "fc": (2, 1)},
        {"conv1": (2, 3), "conv2": (1, 2)},
        {"conv1": (2, 3), "conv2": (1, 2), "fc": (3, 2)},
    )
    # Slow and fast have changed places: the first mode is none of those compiled.
    paces = [m.interval_measured for m in proven(folder, verilator_cache, mixed).modes]
    assert paces[1:] != [m.interval_measured for m in found.modes][1:]


def branches() -> Graph:
    """Accumulators with two readers; a depthwise layer, and codes that others read in full."""
    b = ChainBuilder(np.random.default_rng(5))
    b.input((3, 6, 5), 4, signed=True)
    b.conv("stem", 4, (3, 3), 3, pads=(1, 1, 1, 1))
    b.thresholds("left", 3, signed=True, flips=True)
    b.at("stem")
    b.thresholds("q", 4)
    b.conv("depthwise", 4, (3, 3), 4, pads=(1, 1, 1, 1), groups=4)
    b.thresholds("right", 3, signed=True)
    b.conv("point", 4, (1, 1), 3)
    b.thresholds("codes", 3, signed=True)
    b.at("left")
    b.conv("short", 4, (1, 1), 2)
    b.thresholds("other", 3, signed=True)
    b.add("sum", Sum(("codes", "other"), (1, 1)))
    b.thresholds("end", 3)
    return b.graph()


@pytest.mark.rtl
def test_depthwise_layers_and_sums_with_several_readers(tmp_path, verilator_cache):
    folder = tmp_path / "design"
    low = {"stem": (3, 2), "depthwise": (2, 2), "point": (1, 2), "short": (1, 3)}
    compiled(branches(), [{}, low], folder, fps=40_000)
    proven(folder, verilator_cache)
    mixed = written(tmp_path, {"stem": (3, 2), "point": (1, 2)}, {**low, "point": (3, 3)})
    proven(folder, verilator_cache, mixed)
    mixed = written(tmp_path, {"depthwise": (2, 2), "short": (1, 3)}, {"depthwise": (2, 2)})
    proven(folder, verilator_cache, mixed)


REFUSED = {
    "planes in no mode": (
        [{}, {"conv1": (2, 2)}, {}],
        r"mode 1: layer 'conv1' asks for 2 weight and 2 activation planes; the design holds "
        r"thresholds for 3 and 4, 2 and 3, 1 and 2",
    ),
    "two modes": ([{}, {}], "must name the planes of layers in 3 modes, as many as .* lists 2 mo"),
    "no layer": ([{}, {"conv9": (2, 2)}, {}], "mode 1: no layer 'conv9'; there are: conv1, conv2"),
    "a value read in two ways": (
        [{}, {"conv1": (9, 2)}, {}],
        "asks for 9 weight and 2 activation planes; there are 1 to 3 and 1 to 4",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_the_design_does_not_hold_is_refused(name: str, tmp_path: Path) -> None:
    modes, rule = REFUSED[name]
    design = compiled(digits_like(), DIGITS, tmp_path / "design", fps=5000)
    with pytest.raises(ConfigError, match=rule):
        with_planes(design, written(tmp_path, *modes))


def test_a_design_without_such_modes_has_nothing_to_write(tmp_path: Path) -> None:
    design = compile_graph(digits_like(), tmp_path / "design", source={}, fps=5000)
    assert plane_rows(design) == ()
    with pytest.raises(ConfigError, match="has no planes that can be chosen at run time; compile"):
        with_planes(design, written(tmp_path, {}, {}))


@pytest.mark.rtl
def test_planes_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verilator_cache: Path
) -> None:
    """A QONNX file, modes by hand, and what the host writes; a wrong file is one message."""
    rng = np.random.default_rng(1)
    net = Net(8).quant(4, 0.25)
    net.gemm(rng.normal(0, 0.4, (6, 8)), 4, 0.125).node("Relu").quant(3, 0.5)
    net.gemm(rng.normal(0, 0.4, (3, 6)), 3, 0.125)
    net.save(tmp_path)
    first, last = "Gemm_10", "Gemm_21"
    low = {first: (2, 3), last: (1, 2)}
    written(tmp_path, {}, low).rename(tmp_path / "modes.json")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "verilator").symlink_to(verilator_cache)
    design = str(tmp_path / "design")
    assert main.run(["compile", str(tmp_path / "modes.json"), "-o", design, "--fps", "1e6"]) == 0
    frames = ["--frames", "12", "--protocol-frames", "4"]
    planes = written(tmp_path, {first: (2, 3)}, {last: (1, 2)})
    assert main.run(["verify", design, *frames, "--planes", str(planes)]) == 0
    assert "0 differ" in capsys.readouterr().out
    planes = written(tmp_path, {}, {first: (1, 3)})
    assert main.run(["verify", design, *frames, "--planes", str(planes)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bitfold: {planes}: mode 1: layer 'Gemm_10' asks for 1 weight and 3 ")
    assert said.count("\n") == 1
