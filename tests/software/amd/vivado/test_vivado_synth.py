import json
from pathlib import Path

import pytest
from tcl import commands, items

from bitfold.amd.vivado_synth import synth_design, synth_plan
from bitfold.cli import main
from bitfold.compiler.design import Design
from bitfold.errors import ConfigError, ToolFailed
from bitfold.synth.flow import SynthResult
from bitfold.synth.source import design_source, source_digest
from bitfold.synth.target import load_target, target_names


def test_figures_land_in_the_same_file_as_those_of_yosys(
    images: Design, vivado: pytest.MonkeyPatch, capsys
) -> None:
    given = ["synth", str(images.folder), "--target", "xc7", "--part", "xc7z020"]
    assert main.run([*given, "--backend", "vivado"]) == 0
    said = capsys.readouterr().out
    assert "Fmax 114.1 MHz after place and route" in said
    found = SynthResult.read(images.folder / "synth-xc7.json")
    assert (found.target, found.part, found.top) == ("xc7", "xc7z020", "bf_accelerator")
    assert (found.totals.luts, found.totals.brams) == (3210, 2.5)
    assert found.fits["luts"] == 3210 / 53200
    assert found.modules[1].path == "bf_accelerator/u_fc1"
    assert found.tools == {"vivado": "vivado 2023.2"}
    assert found.design == source_digest(design_source(images))
    keys = set(json.loads((images.folder / "synth-xc7.json").read_text()))
    assert keys == {
        "kind", "schema", "top", "target", "part", "totals", "fmax_mhz", "fits", "placed",
        "modules", "warnings", "tools", "seconds", "design",
    }  # fmt: skip


def test_without_place_and_route_there_is_no_fmax(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    found = synth_design(images, "xc7", tmp_path, place=False)
    assert (found.placed, found.fmax_mhz) == (None, None)
    text = synth_plan(images, "xc7", None, place=False, freq_mhz=100.0).files["ooc.tcl"].decode()
    assert not {"place_design", "route_design"} & {words[0] for words in commands(text)}


def test_the_script_synthesises_out_of_context(images: Design) -> None:
    plan = synth_plan(images, "xcup", "xck26", place=True, freq_mhz=200.0)
    script = commands(plan.files["ooc.tcl"].decode())
    (synth,) = (words for words in script if words[0] == "synth_design")
    assert synth[synth.index("-mode") + 1] == "out_of_context"
    assert synth[synth.index("-part") + 1] == "xck26-sfvc784-2LV-c"
    assert synth[synth.index("-generic") + 1] == "Style=1"
    (read,) = (items(words[-1]) for words in script if words[0] == "read_verilog")
    assert set(read) == {name for name in plan.files if name.endswith(".sv")}
    (images_read,) = (items(words[-1]) for words in script if words[0] == "read_mem")
    assert set(images_read) == {name for name in plan.files if name.endswith(".mem")}
    assert b"create_clock -name clk_i -period 5.000 [get_ports clk_i]" in plan.files["ooc.xdc"]


def test_a_licence_is_missed_in_one_line(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    vivado.setenv("VIVADO_STAND_IN", "licence")
    with pytest.raises(ToolFailed, match=r"vivado: no licence for Synthesis on xc7z020\.") as found:
        synth_design(images, "xc7", tmp_path)
    assert "\n" not in str(found.value)


def test_a_missing_image_is_no_figure(
    images: Design, tmp_path: Path, vivado: pytest.MonkeyPatch
) -> None:
    vivado.setenv("VIVADO_STAND_IN", "image")
    with pytest.raises(ToolFailed, match=r"did not find the memory image 'fc1\.mem'"):
        synth_design(images, "xc7", tmp_path)


def test_parts_of_others_and_seeds_are_refused(images: Design, tmp_path: Path, capsys) -> None:
    with pytest.raises(ConfigError, match="target ecp5: Vivado does not know the part 'lfe5u"):
        synth_design(images, "ecp5", tmp_path)
    given = ["synth", str(images.folder), "--target", "xc7", "--backend", "vivado", "--seed", "2"]
    assert main.run(given) == 2
    assert "--seed: Vivado's place and route takes none" in capsys.readouterr().err


@pytest.mark.parametrize("name", target_names())
def test_vivado_knows_the_parts_of_amd_alone(name: str) -> None:
    for part in load_target(name).parts.values():
        assert bool(part.vivado) == part.name.startswith("xc"), part.name
        assert part.vivado.startswith(part.name) or not part.vivado
