"""Planes that the host chooses at run time: a design once its registers PLANES are written.

What may be written is what some mode of the design has for a layer. The outputs then are those of
the stored network with just these planes masked, and the cycles those of its products: both are
predicted here, from the design alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bitfold.compiler.design import Design, describe_output
from bitfold.compiler.emit_modes import layer_planes
from bitfold.compiler.layers import ChannelLayer, LinearLayer
from bitfold.compiler.mode_file import read_mode_file
from bitfold.compiler.modes import Mode, describe_modes, masked_modes, serve_modes
from bitfold.compiler.registers import planes_offset, planes_word
from bitfold.cost.stages import AxisOut, Stage
from bitfold.cost.units import Mvtu, Vvau
from bitfold.errors import ConfigError

Rows = tuple[tuple[int, ...], ...]  # words of PLANES, a row a mode


def plane_rows(design: Design) -> Rows:
    """What PLANES holds for these stages; no rows where it cannot be written."""
    layers = layer_planes(design.stages)
    if not layers or not layers[0].free:
        return ()
    return tuple(
        tuple(planes_word(*layer.kept[mode]) for layer in layers)
        for mode in range(len(design.modes))
    )


def plane_offsets(design: Design) -> Rows:
    """Byte addresses of the same words."""
    count = len(layer_planes(design.stages))
    modes = range(len(design.modes))
    return tuple(tuple(planes_offset(m, k, count) for k in range(count)) for m in modes)


def with_planes(design: Design, path: Path) -> tuple[Design, tuple[Mode, ...]]:
    """The design once the host has written into PLANES what a modes.json written by hand says, and
    the golden model of each of its modes.

    The file has as many modes as the design. Raises: ConfigError where it has not, where PLANES
    cannot be written, and for planes that the design does not hold; as `read_mode_file` and
    `truncated`.
    """
    if not plane_rows(design):
        raise ConfigError(
            f"{path}: {design.folder} has no planes that can be chosen at run time; compile a "
            "modes.json that names layers and planes"
        )
    listed = read_mode_file(path, path.parent / "model.onnx")
    if listed.files or len(listed.layers) != len(design.modes):
        raise ConfigError(
            f"{path}: must name the planes of layers in {len(design.modes)} modes, as many as "
            f"{design.folder} has; it lists {len(listed.layers) or 'files of'} modes"
        )
    graph = design.graph()
    modes = masked_modes(path, graph, listed.layers)
    layers, served = serve_modes(graph, str(design.folder), modes)
    units = [layer for layer in layers if isinstance(layer, LinearLayer | ChannelLayer)]
    kept = {unit.name: unit.modes.kept for unit in units if unit.modes is not None}
    stages = tuple(_written(stage, kept, path) for stage in design.stages)
    last = stages[-1]
    assert isinstance(last, AxisOut)
    pairs = zip(modes, served.output_shifts, strict=True)
    outputs = [describe_output(mode.graph, last, shift) for mode, shift in pairs]
    described = tuple(describe_modes(served, outputs))
    return replace(design, stages=stages, modes=described), modes


def _written(stage: Stage, kept: Mapping[str, Sequence[tuple[int, int]]], path: Path) -> Stage:
    """A unit with the planes that it is to have in each mode; others as they are."""
    if not isinstance(stage, Mvtu | Vvau) or stage.modes is None:
        return stage
    held = dict.fromkeys(stage.modes.kept)
    for mode, planes in enumerate(kept[stage.name]):
        if planes not in held:
            had = ", ".join(f"{w} and {a}" for w, a in held)
            raise ConfigError(
                f"{path}: mode {mode}: layer {stage.name!r} asks for {planes[0]} weight and "
                f"{planes[1]} activation planes; the design holds thresholds for {had}"
            )
    return replace(stage, modes=replace(stage.modes, kept=tuple(kept[stage.name])))
