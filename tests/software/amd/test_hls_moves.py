"""C++ windows, maxima, padding, upscaling, branches and both ends on the RTL's own cases."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hls_units import Ran, Unit, run_units
from move_cases import (
    APART,
    PADS,
    POOLS,
    UPSCALE_HEIGHT,
    UPSCALES,
    WINDOWS,
    pad_frames,
    pad_parameters,
    pad_stage,
    pool_windows,
    upscale_frames,
    upscale_parameters,
    upscale_stage,
    window_frames,
    window_parameters,
    window_stage,
)

from bitfold.amd.hls_tables import number
from bitfold.amd.hls_trips import expected_trips, frame_trips
from bitfold.cost.interval import stage_cycles
from bitfold.cost.stages import AxisIn, AxisOut, Fork, Gather, Join, Pool, Stage
from bitfold.errors import ToolFailed
from bitfold.sim.reference import codes_to_values, to_plane_beats

pytestmark = pytest.mark.slow

FRAMES = 3
Case = tuple[Unit, list[list[int]], Stage]  # with what must come out of each stream


def moved(
    name: str,
    module: str,
    parameters: dict,
    frames: tuple[list[int], list[int]],
    stage: Stage,
    **more: int,
) -> Case:
    """A unit that reads and sends beats of `Group` bits."""
    kind = f"ap_uint<{parameters['Group']}>"
    made = Unit(
        name=name,
        module=module,
        parameters=parameters,
        call=f"{module}<{{P}}>({{in0}}, {{out0}}, {{frames}})",
        inputs=[(kind, frames[0])],
        outputs=[kind],
        loops=[f"{module.removeprefix('bf_')}_loop"],
        frames=FRAMES,
        more=more,
    )
    return made, [frames[1]], stage


def window(name: str, shape: tuple, dilation: tuple[int, int]) -> Case:
    parameters = window_parameters(shape, dilation)
    stage = window_stage({k: number(v) for k, v in parameters.items()})
    return moved(name, "bf_window", parameters, window_frames(stage, FRAMES, seed=1), stage)


def pad(name: str, shape: tuple) -> Case:
    parameters = pad_parameters(shape)
    stage = pad_stage(parameters)
    return moved(name, "bf_pad", parameters, pad_frames(stage, FRAMES, seed=2), stage)


def upscale(name: str, shape: tuple) -> Case:
    parameters = upscale_parameters(shape)
    stage = upscale_stage({k: number(v) for k, v in parameters.items()})
    frames = upscale_frames(stage, FRAMES, seed=3)
    return moved(name, "bf_upscale", parameters, frames, stage, Height=UPSCALE_HEIGHT)


def pool(name: str, shape: tuple[int, ...]) -> Case:
    names = ("Group", "Beats", "Planes", "Signed", "Positions")
    parameters = dict(zip(names, shape, strict=True))
    windows = 5  # of a frame
    frames = pool_windows(parameters, windows * FRAMES, seed=4)
    group, beats, planes, signed, positions = shape
    stage = Pool(
        name=name,
        group=group,
        beats=beats,
        planes=planes,
        signed=bool(signed),
        positions=positions,
        pixels=windows,
    )
    return moved(name, "bf_maxpool", parameters, frames, stage, FrameVectors=windows)


def fork(name: str, width: int, branches: int) -> Case:
    beats = [random.Random(5).getrandbits(width) for _ in range(4 * 3 * FRAMES)]
    streams = ", ".join(f"{{out{k}}}" for k in range(branches))
    made = Unit(
        name=name,
        module="bf_fork",
        parameters={"Width": width, "Beats": 4, "Branches": branches},
        call=f"bf_fork<{{P}}>({{frames}}, {{in0}}, {streams})",
        inputs=[(f"ap_uint<{width}>", beats)],
        outputs=[f"ap_uint<{width}>"] * branches,
        loops=["fork_loop"],
        frames=FRAMES,
        more={"FrameVectors": 3},
    )
    stage = Fork(name=name, width=width, beats=4, pixels=3, vectors=(2,) * branches)
    return made, [beats] * branches, stage


def join(name: str, width: int, beats: tuple[int, ...], zeros: int | None = None) -> Case:
    """A vector of each in turn; stream `zeros` is constant."""
    rng, vectors = random.Random(6), 2 * FRAMES
    given = [[rng.getrandbits(width) for _ in range(vectors * n)] for n in beats]
    if zeros is not None:
        given[zeros] = [0] * (vectors * beats[zeros])
    wanted = [
        beat
        for v in range(vectors)
        for words, n in zip(given, beats, strict=True)
        for beat in words[v * n : (v + 1) * n]
    ]
    read = [k for k in range(len(beats)) if k != zeros]
    streams = [f"{{in{read.index(k)}}}" if k != zeros else "none" for k in range(len(beats))]
    call = f"bf_join<{{P}}>({{frames}}, {{out0}}, {', '.join(streams)})"
    packed = sum(n << 32 * k for k, n in enumerate(beats))
    made = Unit(
        name=name,
        module="bf_join",
        parameters={
            "Width": width,
            "Branches": len(beats),
            "Beats": f"{32 * len(beats)}'h{packed:x}",
        },
        call=call if zeros is None else f"zeros<{width}> none; {call}",
        inputs=[(f"ap_uint<{width}>", given[k]) for k in read],
        outputs=[f"ap_uint<{width}>"],
        loops=["join_loop"],
        frames=FRAMES,
        more={"FrameVectors": 2},
    )
    return made, [wanted], Join(name=name, width=width, beats=beats, pixels=2, reads=())


def beats_of(codes: np.ndarray, planes: int, group: int) -> list[int]:
    """Of all rows of codes."""
    return [beat for row in codes for beat in to_plane_beats(row, planes, group)]


def gather(name: str, group: int, planes: int, words: int, bipolar: int) -> Case:
    stage = Gather(
        name=name, group=group, planes=planes, words=words, bipolar=bool(bipolar), pixels=4
    )
    shape = (stage.pixels * FRAMES, group * words)
    codes = np.random.default_rng(7).integers(0, 1 << planes, shape)
    # What leaves has no sign of its own: bf_axis_out knows whether it is one.
    values = codes_to_values(codes, planes, signed=not bipolar, bipolar=bool(bipolar))
    made = Unit(
        name=name,
        module="bf_gather",
        parameters={"Group": group, "Planes": planes, "Words": words, "Bipolar": f"1'b{bipolar}"},
        call="bf_gather<{P}>({in0}, {out0}, {frames})",
        inputs=[(f"ap_uint<{group}>", beats_of(codes, planes, group))],
        outputs=[f"vec<ap_int<{stage.width}>, {group}>"],
        loops=["gather_loop"],
        frames=FRAMES,
        more={"FrameVectors": stage.pixels, "Width": stage.width},
    )
    return made, [values.reshape(-1).tolist()], stage


def axis_in(name: str, group: int, planes: int, beats: int) -> Case:
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 1 << planes, (beats * FRAMES, group))
    # What lies above the planes does not count.
    sent = codes + (rng.integers(0, 256, codes.shape) >> planes << planes)
    words = [sum(int(v) << 8 * i for i, v in enumerate(row)) for row in sent]
    made = Unit(
        name=name,
        module="bf_axis_in",
        parameters={"Group": group, "Planes": planes, "BeatsPerFrame": beats},
        call="bf_axis_in<{P}>({in0}, {out0}, {frames})",
        inputs=[(f"axis_word<{8 * group}>", words)],
        outputs=[f"ap_uint<{group}>"],
        loops=["axis_in_loop"],
        frames=FRAMES,
    )
    stage = AxisIn(name=name, group=group, planes=planes, beats=beats)
    return made, [beats_of(codes, planes, group)], stage


def axis_out(name: str, items: int, width: int, outputs: int, signed: int) -> Case:
    half = 1 << width - 1
    values = np.random.default_rng(9).integers(-half, half, (FRAMES, outputs))
    shown = values if signed or width == 32 else values & (2 * half - 1)
    made = Unit(
        name=name,
        module="bf_axis_out",
        parameters={"Items": items, "Width": width, "Outputs": outputs, "Signed": f"1'b{signed}"},
        call="bf_axis_out<{P}>({in0}, {out0}, {frames})",
        inputs=[(f"vec<ap_int<{width}>, {items}>", values.reshape(-1).tolist())],
        outputs=["axis_word<32>"],
        loops=["axis_out_loop"],
        frames=FRAMES,
    )
    stage = AxisOut(name=name, group=items, width=width, outputs=outputs, signed=bool(signed))
    last = np.arange(outputs) == outputs - 1
    pairs = np.stack([shown, np.broadcast_to(last, shown.shape)], axis=2)
    return made, [pairs.reshape(-1).tolist()], stage


CASES: dict[str, Case] = {
    **{name: window(name, shape, (1, 1)) for name, shape in WINDOWS.items()},
    **{name: window(name, *shape) for name, shape in APART.items()},
    **{f"pad{i}": pad(f"pad{i}", shape) for i, shape in enumerate(PADS)},
    **{f"up_{name}": upscale(f"up_{name}", shape) for name, shape in UPSCALES.items()},
    **{f"pool{i}": pool(f"pool{i}", shape) for i, shape in enumerate(POOLS)},
    "fork2": fork("fork2", 3, 2),
    "fork3": fork("fork3", 1, 3),
    "join2": join("join2", 4, (6, 6)),
    "join3": join("join3", 3, (4, 1, 7)),
    "join_zeros": join("join_zeros", 2, (2, 3, 1), zeros=1),
    "gather": gather("gather", 4, 4, 2, 0),
    "gather_bits": gather("gather_bits", 5, 1, 1, 0),
    "gather_bipolar": gather("gather_bipolar", 2, 1, 3, 1),
    "axis_in": axis_in("axis_in", 4, 5, 6),
    "axis_in_bytes": axis_in("axis_in_bytes", 1, 8, 3),
    "axis_out": axis_out("axis_out", 2, 13, 6, 1),
    "axis_out_unsigned": axis_out("axis_out_unsigned", 3, 4, 3, 0),
    "axis_out_whole": axis_out("axis_out_whole", 1, 32, 2, 1),
}


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    return run_units("moves", [unit for unit, *_ in CASES.values()])


@pytest.mark.parametrize("name", list(CASES))
def test_beats_equal_golden(name: str, ran: dict[str, Ran]) -> None:
    assert ran[name].outputs == CASES[name][1]


@pytest.mark.parametrize("name", list(CASES))
def test_loops_go_round_as_often_as_predicted(name: str, ran: dict[str, Ran]) -> None:
    assert ran[name].trips == expected_trips(CASES[name][2], FRAMES)


# Their windows have no padding to send while the first rows of the next frame come in.
WAITING = ("valid_3x3", "whole_map")


@pytest.mark.parametrize("name", list(CASES))
def test_a_frame_takes_the_cycles_of_the_cost_model(name: str) -> None:
    stage = CASES[name][2]
    assert (frame_trips(stage) > stage_cycles(stage)) == (name in WAITING)
    assert frame_trips(stage) >= stage_cycles(stage)


def test_a_process_that_waits_for_ever_says_so() -> None:
    made = CASES["same_3x3"][0]
    ((kind, beats),) = made.inputs
    with pytest.raises(ToolFailed, match="waits for beats that do not come"):
        run_units("starved", [replace(made, inputs=[(kind, beats[:-1])])])
