"""The register map: what drivers read."""

import json
import re
import shutil
import subprocess

import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.registers import (
    REGISTERS,
    LayerPlanes,
    c_header,
    pack_planes,
    planes_offset,
    register_map,
)
from integer_graphs import digits_like
from mode_graphs import modes_of

LAYERS = (
    LayerPlanes(name="conv1", kept=((8, 8), (4, 8))),
    LayerPlanes(name="fc", kept=((3, 2), (1, 2))),
)


def test_registers_lie_apart_and_below_the_table() -> None:
    offsets = [r.offset for r in REGISTERS]
    assert offsets == sorted(set(offsets))
    assert all(o % 4 == 0 and o < 0x100 for o in offsets)
    for r in REGISTERS:
        bits = [b for f in r.fields for b in range(f.low, f.high + 1)]
        assert len(bits) == len(set(bits))
        assert max(bits) < 32


def test_planes_are_words_by_mode_and_layer() -> None:
    found = register_map(LAYERS)
    assert [(e["offset"], e["mode"], e["layer"], e["w_planes"]) for e in found["planes"]] == [
        (0x100, 0, "conv1", 8),
        (0x104, 0, "fc", 3),
        (0x108, 1, "conv1", 4),
        (0x10C, 1, "fc", 1),
    ]
    assert found["address_bits"] == 9
    packed = pack_planes(LAYERS)
    words = [packed >> 16 * i & 0xFFFF for i in range(4)]
    assert words == [0x0808, 0x0203, 0x0804, 0x0201]
    assert planes_offset(1, 1, 2) == 0x10C


def test_the_header_has_every_register_and_compiles(tmp_path) -> None:
    header = c_header(LAYERS)
    values = dict(re.findall(r"#define BF_(\w+) 0x([0-9A-F]{3})u\n", header))
    assert {n: int(v, 16) for n, v in values.items()} == {r.name: r.offset for r in REGISTERS}
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "the simulator's build needs a C compiler anyway"
    (tmp_path / "bitfold_registers.h").write_text(header)
    (tmp_path / "main.c").write_text(
        '#include "bitfold_registers.h"\n'
        "#include <stdio.h>\n"
        'int main(void) { printf("%u %u", BF_PLANES(1u, BF_LAYER_fc), '
        "(0xABu << BF_STATUS_NEWEST_SHIFT) & BF_STATUS_NEWEST_MASK); return 0; }\n"
    )
    flags = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
    subprocess.run([compiler, *flags, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "main"], check=True, capture_output=True, text=True).stdout
    assert said == f"{0x10C} {0xAB00}"


@pytest.mark.parametrize("name", ["registers.json", "bitfold_registers.h"])
def test_a_design_with_modes_carries_its_map(name: str, tmp_path) -> None:
    graph = digits_like()
    modes = modes_of(graph, [{}, {"conv2": 1, "q1": 1}])
    design = compile_graph(graph, tmp_path / "design", source={}, fps=5000, modes=modes)
    text = (design.folder / "driver" / name).read_text()
    if name == "registers.json":
        planes = json.loads(text)["planes"]
        assert {
            (e["mode"], e["w_planes"], e["a_planes"]) for e in planes if e["layer"] == "conv2"
        } == {
            (0, 3, 3),
            (1, 2, 2),
        }
    else:
        assert "#define BF_LAYER_conv2 1" in text
