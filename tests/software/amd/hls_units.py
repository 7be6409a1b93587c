"""Many C++ units in one program: their beats in, what came out, and how often their loops went."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bitfold.amd.hls_config import MODULES, config
from bitfold.amd.hls_gcc import simulate
from bitfold.amd.hls_headers import ap_types_folder
from bitfold.amd.hls_tables import read_image

CACHE = Path(__file__).resolve().parents[3] / "build" / "hls"
WIDEST = 4096


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A call of a header's function.

    call:    with {P} for the parameters, {streams} for "a0, ..., b0, ..." and frames.
    inputs:  type of each input stream and its beats, of all frames.
    outputs: type of each output stream, and how its beats are printed.
    loops:   tags whose trips are counted.
    """

    name: str
    module: str
    parameters: Mapping[str, str | int]
    call: str
    inputs: Sequence[tuple[str, Sequence[int]]]
    outputs: Sequence[str]
    loops: Sequence[str]
    frames: int
    more: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """Beats of each output stream, words of several integers laid out flat; trips by loop."""

    outputs: list[list[int]]
    trips: dict[str, int]


_MAIN = """
#include <cstdio>
#include <fstream>
#include <string>

static std::ifstream file("inputs.txt");

template <int W>
void fill(hls::stream<ap_uint<W>>& s) {
  size_t count;
  std::string beat;
  for (file >> count; count > 0; count--) {
    file >> beat;
    s.write(ap_uint<W>(beat.c_str(), 16));
  }
}

template <int W, unsigned N>
void fill(hls::stream<bitfold::vec<ap_int<W>, N>>& s) {
  size_t count;
  for (file >> count; count > 0; count -= N) {
    bitfold::vec<ap_int<W>, N> word;
    for (unsigned i = 0; i < N; i++) {
      long long value;
      file >> value;
      word.lane[i] = value;
    }
    s.write(word);
  }
}

template <unsigned W>
void fill(hls::stream<bitfold::axis_word<W>>& s) {
  size_t count;
  std::string beat;
  for (file >> count; count > 0; count--) {
    file >> beat;
    bitfold::axis_word<W> word;
    word.data = ap_uint<W>(beat.c_str(), 16);
    word.last = 0;
    s.write(word);
  }
}

template <int W>
void show(FILE* out, const ap_uint<W>& bits) {
  fprintf(out, "%llu ", (unsigned long long)bits.to_uint64());
}

template <int W, unsigned N>
void show(FILE* out, const bitfold::vec<ap_int<W>, N>& word) {
  for (unsigned i = 0; i < N; i++) fprintf(out, "%lld ", (long long)word.lane[i].to_int64());
}

void show(FILE* out, const bitfold::axis_word<32>& word) {
  fprintf(out, "%d %d ", ap_int<32>(word.data).to_int(), word.last.to_int());
}

template <class T>
void drain(FILE* out, hls::stream<T>& s) {
  while (!s.empty()) show(out, s.read());
  fprintf(out, "\\n");
}
"""


def run_units(name: str, units: Sequence[Unit]) -> dict[str, Ran]:
    """Compile and run; by name of the unit."""
    headers = sorted({MODULES[unit.module].header for unit in units} | {"bf_axis"})
    text = f"#define AP_INT_MAX_W {WIDEST}\n"
    text += "".join(f'#include "{header}.hpp"\n' for header in headers) + _MAIN
    calls, given = "", []
    for unit in units:
        made = config(_struct(unit), unit.module, unit.parameters, _image, unit.more)
        text += f"namespace bitfold {{\n{made.tables}{made.struct}}}\n{_function(unit)}"
        calls += f"  run_{unit.name}(out);\n"
        for kind, beats in unit.inputs:
            shown = [str(b) if "vec" in kind else f"{b:x}" for b in beats]
            given.append(f"{len(beats)} {' '.join(shown)}\n")
    text += f'int main() {{\n  FILE* out = fopen("outputs.txt", "w");\n{calls}  fclose(out);\n}}\n'
    files = {"units.cpp": text.encode(), "inputs.txt": "".join(given).encode()}
    built = simulate(
        name,
        sources=["units.cpp"],
        files=files,
        outputs=["outputs.txt"],
        cache=CACHE,
        ap_types_in=ap_types_folder(),
        level=0,
    )
    assert "WARNING" not in (built.folder / "csim.log").read_text()
    lines = iter((built.folder / "outputs.txt").read_text().splitlines())
    return {
        unit.name: Ran(
            outputs=[[int(v) for v in next(lines).split()] for _ in unit.outputs],
            trips=json.loads(next(lines)),
        )
        for unit in units
    }


def _struct(unit: Unit) -> str:
    """Of its parameters; some cases are called as C++ words are."""
    return f"u_{unit.name}"


def _image(name: str) -> list[int]:
    return read_image(Path(name))


def _function(unit: Unit) -> str:
    given = [f"a{i}" for i in range(len(unit.inputs))]
    made = [f"b{i}" for i in range(len(unit.outputs))]
    text = f"static void run_{unit.name}(FILE* out) {{\n  using namespace bitfold;\n"
    kinds = [kind for kind, _ in unit.inputs]
    for name, kind in zip([*given, *made], [*kinds, *unit.outputs], strict=True):
        text += f'  hls::stream<{kind}> {name}("{name}");\n'
    text += "".join(f"  fill({name});\n" for name in given)
    places = {f"in{i}": name for i, name in enumerate(given)}
    places |= {f"out{i}": name for i, name in enumerate(made)}
    text += f"  {unit.call.format(P=_struct(unit), frames=unit.frames, **places)};\n"
    text += "".join(f"  drain(out, {name});\n" for name in made)
    shown = ", ".join(f'\\"{loop}\\": %lu' for loop in unit.loops)
    counts = "".join(f", trips<{_struct(unit)}, {loop}>()" for loop in unit.loops)
    return text + f'  fprintf(out, "{{{shown}}}\\n"{counts});\n}}\n'
