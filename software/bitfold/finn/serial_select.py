"""Runs where FINN runs: bit-serial layers in the place of MVAUs, folded by bitfold's prices."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onnx import helper
from qonnx.custom_op.registry import getCustomOp

from bitfold.finn.serial_op import DOMAIN, OP, why_not
from bitfold.finn.serial_unit import cheapest, target_of

ALL, SMALLER = "all", "smaller"
# What means something else, or nothing, on a bit-serial layer.
_DROPPED = ("mem_mode", "ram_style", "resType", "pumpedCompute", "pumpedMemory", "backend")


def make_bit_serial(model: Any, which: str | Sequence[str], part: str) -> dict[str, str]:
    """Replace MVAUs of a graph that FINN has folded, in place.

    which: names of nodes; "all" that can be; or of these the "smaller": those that take fewer
        LUTs than FINN's layer, its products counted in LUTs as FINN itself estimates them.
    Each takes the cheapest folding that is at least as fast as the slowest layer that FINN left.
    Returns why an MVAU that was looked at stays, by its name.
    Raises: ValueError for a name that is no MVAU, or of an MVAU that cannot be replaced.
    """
    found = {n.name: n for n in model.graph.node if n.op_type in ("MVAU_hls", "MVAU_rtl")}
    asked = list(found) if isinstance(which, str) else list(which)
    for name in asked:
        if name not in found:
            raise ValueError(f"{name!r} is no MVAU of FINN's; there are: {', '.join(found)}")
    cycles = max(getCustomOp(node).get_exp_cycles() for node in model.graph.node)
    kept: dict[str, str] = {}
    for name in asked:
        reason = _replace(model, found[name], cycles, part, smaller=which == SMALLER)
        if reason and not isinstance(which, str):
            raise ValueError(f"{name} cannot be bit-serial: {reason}")
        if reason:
            kept[name] = reason
    return kept


def bit_serial_step(which: str | Sequence[str]) -> Callable[[Any, Any], Any]:
    """`make_bit_serial` as a step of FINN's builder, behind step_target_fps_parallelization.

    It writes report/bit_serial.json in the build's folder: names of MVAUs that are bit-serial now,
    and why others stay FINN's.
    """

    def step_bit_serial(model: Any, cfg: Any) -> Any:
        kept = make_bit_serial(model, which, cfg._resolve_fpga_part())
        # Under the names that they were asked for by; FINN renames them later.
        made = [node.name for node in model.graph.node if node.op_type == OP]
        report = Path(cfg.output_dir) / "report" / "bit_serial.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps({"bit_serial": made, "kept": kept}, indent=1) + "\n")
        return model

    return step_bit_serial


def _replace(model: Any, node: Any, cycles: int, part: str, *, smaller: bool) -> str | None:
    """Put a bit-serial layer in the place of `node`, or say why not."""
    layer = getCustomOp(node)
    reason = why_not(layer, model.get_initializer(node.input[1]))
    if reason:
        return reason
    made = _like(node, OP, DOMAIN, mem_mode="internal_embedded")
    serial = getCustomOp(made)
    target = target_of(part)
    unit = cheapest(serial.unit, cycles, target)
    theirs = in_luts(node, part)
    if smaller and unit.luts(target) >= theirs:
        return f"{unit.luts(target):.0f} LUTs bit-serial, {theirs:.0f} by FINN's estimate"
    fold = unit.folding
    for name, value in (("PE", fold.pe), ("SIMD", fold.simd), ("WP", fold.wp), ("AP", fold.ap)):
        serial.set_nodeattr(name, value)
    index = list(model.graph.node).index(node)
    model.graph.node.remove(node)
    model.graph.node.insert(index, made)
    return None


def in_luts(node: Any, part: str) -> float:
    """LUTs of an MVAU by FINN's own formula, with its products in LUTs instead of DSPs.

    FINN counts none at all for its RTL unit: the formula is that of its HLS unit, folded the same.
    """
    layer = getCustomOp(node)
    memory = {name: layer.get_nodeattr(name) for name in ("mem_mode", "ram_style")}
    other = _like(node, "MVAU_hls", "finn.custom_op.fpgadataflow.hls", resType="lut", **memory)
    return float(getCustomOp(other).node_res_estimation(part)["LUT"])


def _like(node: Any, kind: str, domain: str, **values: str) -> Any:
    """A node of another kind between the same tensors, with the same attributes and `values`."""
    made = helper.make_node(
        kind,
        list(node.input),
        list(node.output),
        name=node.name,
        domain=domain,
        backend="fpgadataflow",
        **values,
    )
    made.attribute.extend(each for each in node.attribute if each.name not in _DROPPED)
    return made
