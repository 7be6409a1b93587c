"""A stage's RTL module and the parameters that make it that stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import final

from bitfold.cost.schedule_mvtu import held_vectors
from bitfold.cost.stages import AxisIn, AxisOut, Fork, Gather, Join, Pad, Pool, Upscale, Window
from bitfold.cost.units import Mvtu, Vvau
from bitfold.sim.reference import Step, mode_steps, pack_mode_steps, pack_steps, step_table

# Popcounts and accumulators from that family's primitives; elsewhere plain SystemVerilog.
_STYLES = {"xc7": 1, "xcup": 1, "ecp5": 2}


@final
@dataclass(frozen=True, kw_only=True)
class Instance:
    """A module and its parameters in Verilog notation; ports that nothing reads."""

    module: str
    parameters: Mapping[str, str]
    unused: Mapping[str, str] = field(default_factory=dict)


def style_of(target: str) -> int:
    """Parameter Style of the popcounts."""
    return _STYLES.get(target, 0)


def steps_of(stage: Mvtu) -> tuple[Step, ...]:
    """The walk over pairs of plane groups."""
    return step_table(
        stage.planes,
        stage.w_planes,
        stage.folding.ap,
        stage.folding.wp,
        act_signed=stage.act_signed,
        weight_signed=not stage.w_bipolar,
    )


def _flag(value: bool) -> str:
    return f"1'b{int(value)}"


def _file(name: str) -> str:
    return f'"mem/{name}"'


@singledispatch
def instance_of(stage: object, target: str) -> Instance:
    """The instance that is this stage on `target`."""
    raise TypeError(f"no RTL module for {type(stage).__name__}")


@instance_of.register
def _(stage: AxisIn, target: str) -> Instance:
    return Instance(
        module="bf_axis_in",
        parameters={
            "Group": str(stage.group),
            "Planes": str(stage.planes),
            "BeatsPerFrame": str(stage.beats),
        },
        unused={"frame_error_o": "unused_frame_error"},
    )


@instance_of.register
def _(stage: Window, target: str) -> Instance:
    numbers = {
        "Group": stage.group,
        "Beats": stage.beats,
        "Height": stage.height,
        "Width": stage.width,
        "KernelH": stage.kernel[0],
        "KernelW": stage.kernel[1],
        "StrideH": stage.stride[0],
        "StrideW": stage.stride[1],
        "DilationH": stage.dilation[0],
        "DilationW": stage.dilation[1],
        "PadTop": stage.pads[0],
        "PadLeft": stage.pads[1],
        "PadBottom": stage.pads[2],
        "PadRight": stage.pads[3],
        "Planes": stage.planes,
    }
    parameters = {name: str(value) for name, value in numbers.items()}
    return Instance(module="bf_window", parameters=parameters | {"PadSign": _flag(stage.pad_sign)})


@instance_of.register
def _(stage: Mvtu, target: str) -> Instance:
    steps = steps_of(stage)
    style = style_of(target)
    parameters = {
        "GroupIn": str(stage.group_in),
        "Planes": str(stage.planes),
        "ActSigned": _flag(stage.act_signed),
        "ActBipolar": _flag(stage.act_bipolar),
        "Inputs": str(stage.inputs),
        "Outputs": str(stage.outputs),
        "Pe": str(stage.folding.pe),
        "Simd": str(stage.folding.simd),
        "Ap": str(stage.folding.ap),
        "Wp": str(stage.folding.wp),
        "WPlanes": str(stage.w_planes),
        "WeightBipolar": _flag(stage.w_bipolar),
        "Steps": f"{32 * len(steps)}'h{pack_steps(steps):x}",
        "WeightFile": _file(f"{stage.name}_weights.mem"),
        "AccWidth": str(stage.acc_width),
        "Final": _flag(stage.final),
        "Tpe": str(stage.tpe),
        "OutVectors": str(held_vectors(stage, style)),
        "Style": str(style),
    }
    if stage.blocks > 1:
        parameters |= {"Blocks": str(stage.blocks), "Runs": str(stage.runs)}
    if stage.modes:
        table, places = mode_steps(
            *(stage.modes.kept, stage.folding.ap, stage.folding.wp),
            act_signed=stage.act_signed,
            weight_signed=not stage.w_bipolar,
        )
        parameters |= {
            "TableSteps": str(len(table)),
            "Steps": f"{32 * len(table)}'h{pack_steps(table):x}",
            "ModeSteps": f"{32 * len(places)}'h{pack_mode_steps(places):x}",
        }
    return Instance(module="bf_mvtu", parameters=parameters | _endings(stage) | _modes(stage))


@instance_of.register
def _(stage: Vvau, target: str) -> Instance:
    parameters = {
        "Group": str(stage.group),
        "Planes": str(stage.planes),
        "ActSigned": _flag(stage.act_signed),
        "Groups": str(stage.groups),
        "Positions": str(stage.positions),
        "WBits": str(stage.w_bits),
        "WKind": str(stage.w_kind),
        "AccWidth": str(stage.acc_width),
        "Final": _flag(stage.final),
        "Tpe": str(stage.tpe),
        "OutVectors": str(held_vectors(stage, 0)),
    }
    if stage.w_kind:
        parameters["WeightFile"] = _file(f"{stage.name}_weights.mem")
    if stage.modes:
        parameters["WeightSkip"] = _skips([stage.w_bits - w for w, _ in stage.modes.kept])
        if stage.modes.own:
            parameters["ActSkip"] = _skips([stage.planes - a for _, a in stage.modes.kept])
    return Instance(module="bf_vvau", parameters=parameters | _endings(stage) | _modes(stage))


def _skips(planes: Sequence[int]) -> str:
    """8 bits a mode."""
    return f"{8 * len(planes)}'h{sum(k << 8 * m for m, k in enumerate(planes)):x}"


def _modes(stage: Mvtu | Vvau) -> dict[str, str]:
    """Where modes are many, and how the unit knows that of its frame."""
    if stage.modes is None:
        return {}
    return {
        "Modes": str(len(stage.modes.kept)),
        "Ring": str(stage.modes.ring),
        "FrameVectors": str(stage.pixels),
        "Flips": _flag(stage.modes.flips),
    }


def _endings(stage: Mvtu | Vvau) -> dict[str, str]:
    """Thresholds or dividers, or biases where accumulators leave."""
    if stage.final:
        return {"HasBias": _flag(True), "BiasFile": _file(f"{stage.name}_biases.mem")}
    if stage.raw:
        return {"OutBits": str(stage.out_bits), "Raw": _flag(True)}
    codes = {
        "OutBits": str(stage.out_bits),
        "OutSigned": _flag(stage.out_signed),
        "ThresholdFile": _file(f"{stage.name}_thresholds"),
        "OneTable": _flag(stage.one_table),
    }
    if stage.divider is None:
        return codes
    return codes | {
        "Divide": _flag(True),
        "DivideShift": str(stage.divider.shift),
        "DivideWidth": str(stage.divider.width),
        "SlopeWidth": str(stage.divider.slope_bits),
        "DivideHalf": _flag(stage.divider.half),
    }


def _words(values: tuple[int, ...]) -> str:
    """32 bits each, the first lowest."""
    return f"{32 * len(values)}'h{sum(v << 32 * k for k, v in enumerate(values)):x}"


@instance_of.register
def _(stage: Fork, target: str) -> Instance:
    parameters = {
        "Width": str(stage.width),
        "Beats": str(stage.beats),
        "Branches": str(len(stage.vectors)),
        "Vectors": _words(stage.vectors),
    }
    return Instance(module="bf_fork", parameters=parameters)


@instance_of.register
def _(stage: Join, target: str) -> Instance:
    parameters = {
        "Width": str(stage.width),
        "Branches": str(len(stage.beats)),
        "Beats": _words(stage.beats),
    }
    return Instance(module="bf_join", parameters=parameters)


@instance_of.register
def _(stage: Pool, target: str) -> Instance:
    return Instance(
        module="bf_maxpool",
        parameters={
            "Group": str(stage.group),
            "Beats": str(stage.beats),
            "Planes": str(stage.planes),
            "Signed": _flag(stage.signed),
            "Positions": str(stage.positions),
        },
    )


@instance_of.register
def _(stage: Pad, target: str) -> Instance:
    numbers = {
        "Group": stage.group,
        "Beats": stage.beats,
        "Height": stage.height,
        "Width": stage.width,
        "PadTop": stage.pads[0],
        "PadLeft": stage.pads[1],
        "PadBottom": stage.pads[2],
        "PadRight": stage.pads[3],
    }
    return Instance(module="bf_pad", parameters={n: str(v) for n, v in numbers.items()})


@instance_of.register
def _(stage: Upscale, target: str) -> Instance:
    numbers = {
        "Group": stage.group,
        "Beats": stage.beats,
        "Width": stage.width,
        "FactorH": stage.factor[0],
        "FactorW": stage.factor[1],
        "Run": stage.run,
    }
    parameters = {name: str(value) for name, value in numbers.items()}
    return Instance(module="bf_upscale", parameters=parameters | {"Split": _flag(stage.split)})


@instance_of.register
def _(stage: Gather, target: str) -> Instance:
    return Instance(
        module="bf_gather",
        parameters={
            "Group": str(stage.group),
            "Planes": str(stage.planes),
            "Words": str(stage.words),
            "Bipolar": _flag(stage.bipolar),
        },
    )


@instance_of.register
def _(stage: AxisOut, target: str) -> Instance:
    return Instance(
        module="bf_axis_out",
        parameters={
            "Items": str(stage.group),
            "Width": str(stage.width),
            "Outputs": str(stage.outputs),
            "Signed": _flag(stage.signed),
        },
    )
