"""`bitfold hls`: a design as a folder of Vitis HLS C++.

hls/
  network.cpp/.hpp  the top function; every stage's parameters
  tables.hpp        weights, thresholds, biases
  include/bf_*.hpp  the headers of hls/include
  csim.cpp          C test bench; vectors/*.txt: frames, and what the golden model makes of them
  run_hls.tcl       C simulation, synthesis, export as IP
  hls.json          what this was made from
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import bitfold
from bitfold.amd.hls_bench import GOLDEN, INPUTS, bench, vector_lines
from bitfold.amd.hls_headers import own_headers
from bitfold.amd.hls_network import network
from bitfold.amd.hls_tables import read_image
from bitfold.amd.hls_tcl import SCRIPT, script
from bitfold.compiler.design import Design, frame_bytes, stream_order
from bitfold.errors import ArtefactError, ConfigError
from bitfold.files import digest, new_folder, write_bytes, write_json, write_text
from bitfold.ir import run
from bitfold.sim.samples import random_samples, read_samples

KIND = "hls"
SCHEMA = 1
PART = "xc7z020clg400-1"  # of PYNQ-Z1 and Z2
FRAMES = 50  # that the C simulation plays, at most
_PART = re.compile(r"[a-z][a-z0-9]+(-[a-z0-9]+)+", re.I)


def write_hls(
    design: Design, out: Path, *, part: str = PART, samples: Path | None = None
) -> Mapping[str, Any]:
    """Write the folder `out`, replacing it whole; what hls.json holds.

    samples: .npz with x; random inputs when None.
    Raises: ConfigError for precision modes or what is no part, UnsupportedOp for a stage without
    C++, ArtefactError for damaged files. Nothing is written then.
    """
    if design.modes:
        raise ConfigError(
            f"{design.folder}: has {len(design.modes)} precision modes, which the C++ does not "
            "have. Use the RTL, or compile the QONNX file of one mode"
        )
    if not _PART.fullmatch(part):
        raise ConfigError(
            f"--part {part!r} is no part of AMD's: device, package and speed grade, as in {PART}"
        )
    graph = design.graph()
    if samples is None:
        codes = random_samples(graph, FRAMES)
    else:
        codes = read_samples(samples, graph)[0][:FRAMES]
        if not len(codes):
            raise ArtefactError(f"{samples}: holds no sample; the C simulation needs one")
    files = network(design.stages, design.target, lambda name: read_image(design.folder / name))
    frame = np.frombuffer(frame_bytes(graph, codes), np.uint8).reshape(len(codes), -1)
    value = {
        "kind": KIND,
        "schema": SCHEMA,
        "bitfold": bitfold.__version__,
        "design": digest(design.folder / "manifest.json"),
        "part": part,
        "clock_ns": 1000 / design.clock_mhz,
        "samples": samples.name if samples else "random",
        "frames": len(codes),
    }
    with new_folder(out, "hls.json") as folder:
        write_text(folder / "network.hpp", files.header)
        write_text(folder / "tables.hpp", files.tables)
        write_text(folder / "network.cpp", files.source)
        write_text(folder / "csim.cpp", bench(design.stages))
        write_text(folder / INPUTS, vector_lines(frame))
        write_text(folder / GOLDEN, vector_lines(stream_order(graph, run(graph, codes))))
        for name, text in own_headers().items():
            write_bytes(folder / "include" / name, text)
        write_text(folder / SCRIPT, script(part, 1000 / design.clock_mhz))
        write_json(folder / "hls.json", value)
    return value
