"""Stages synthesised one by one: what `bitfold calibrate` fits the LUT model to."""

from pathlib import Path

import numpy as np

from bitfold.compiler.emit import emit_alone
from bitfold.compiler.instances import instance_of
from bitfold.compiler.memories import pack_images
from bitfold.cost.calibrate import Sample
from bitfold.cost.stages import Mvtu, Stage
from bitfold.hardware import needed_files
from bitfold.ir import Ints
from bitfold.synth.flow import synth_source
from bitfold.synth.source import Source


def synthesise_stage(stage: Stage, target: str, rtl: Path, cache: Path) -> Sample:
    """LUTs and FFs of the stage's module alone, with random weights and thresholds of its shape.

    rtl: folder of the modules. cache: builds are kept there and reused.
    Raises: ToolNotFound, ToolFailed.
    """
    module = instance_of(stage, target).module
    rtl_texts = {f"rtl/{p.name}": p.read_bytes() for p in needed_files(rtl, module)}
    source = Source(
        top="bf_stage",
        rtl=rtl_texts | {"rtl/bf_stage.sv": emit_alone(stage, target).encode()},
        data={name: text.encode() for name, text in _random_images(stage).items()},
        parameters={},
    )
    found = synth_source(source, target, cache, place=False, tree=False)
    return Sample(stage=stage, luts=found.totals.luts, ffs=found.totals.ffs)


def _random_images(stage: Stage) -> dict[str, str]:
    if not isinstance(stage, Mvtu):
        return {}
    rng = np.random.default_rng(0)
    shape = (stage.outputs, stage.inputs)
    if stage.w_bipolar:
        matrix: Ints = rng.integers(0, 2, shape) * 2 - 1
    else:
        # Trained weights crowd around zero.
        half = 1 << (stage.w_planes - 1)
        drawn = rng.normal(0, max(0.6, half / 3), shape).round()
        matrix = np.clip(drawn, -half, half - 1).astype(np.int64)
    thresholds = bias = None
    if stage.final:
        bias = rng.integers(-100, 101, stage.outputs)
    else:
        spread = 1 << (stage.acc_width - 3)
        steps = (1 << stage.out_bits) - 1
        thresholds = np.sort(rng.integers(-spread, spread, (stage.outputs, steps)), axis=1)
    images = pack_images(stage, matrix, thresholds, bias)
    return {f"mem/{name}": text for name, text in images.items()}
