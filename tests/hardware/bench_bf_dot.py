"""cocotb bench of bf_dot: random beats and flags against integer arithmetic."""

import random
from dataclasses import dataclass

import cocotb
from cocotb.triggers import FallingEdge
from streams import parameters, start

from bitfold.cost.latency import dot_latency


@dataclass(frozen=True, kw_only=True)
class Beat:
    """Inputs of one cycle; act[j] and weight[p][i] are planes as integers of Simd bits."""

    valid: bool
    first: bool
    last: bool
    shift: int
    weight_sign: bool
    act_sign: bool
    act: list[int]
    weight: list[list[int]]


def settings() -> dict[str, int]:
    defaults = {"Pe": 2, "Simd": 8, "Wp": 1, "Ap": 1, "WeightBipolar": 0, "ActBipolar": 0}
    defaults |= {"AccWidth": 16, "MaxShift": 1, "Init": 0, "LastNegative": 1, "Style": 0}
    return {**defaults, **parameters()}


def latency(p: dict[str, int]) -> int:
    return dot_latency(
        p["Simd"],
        p["Wp"],
        p["Ap"],
        weight_bipolar=bool(p["WeightBipolar"]),
        act_bipolar=bool(p["ActBipolar"]),
        style=p["Style"],
    )


def random_beat(p: dict[str, int], rng: random.Random, valid: float) -> Beat:
    full = (1 << p["Simd"]) - 1

    def plane() -> int:
        return rng.choice((0, full, *[rng.getrandbits(p["Simd"]) for _ in range(6)]))

    weight_sign, act_sign = rng.random() < 0.4, rng.random() < 0.4
    whole = (p["Wp"] == 1 and weight_sign) != (p["Ap"] == 1 and act_sign)
    return Beat(
        valid=rng.random() < valid,
        first=rng.random() < 0.2,
        last=rng.random() < 0.4 and (p["LastNegative"] == 1 or not whole),
        shift=rng.randint(0, p["MaxShift"]),
        weight_sign=weight_sign,
        act_sign=act_sign,
        act=[plane() for _ in range(p["Ap"])],
        weight=[[plane() for _ in range(p["Wp"])] for _ in range(p["Pe"])],
    )


def value(planes: list[int], lane: int, sign: bool) -> int:
    """Integer of a lane: plane 0 least significant, the top plane negative if sign."""
    bits = [(plane >> lane) & 1 for plane in planes]
    return sum(b << k for k, b in enumerate(bits)) - (sign * bits[-1] << len(bits))


def contribution(p: dict[str, int], beat: Beat, pe: int) -> int:
    """Sum over lanes of weight times activation, as plain integers."""
    total = 0
    for lane in range(p["Simd"]):
        if p["WeightBipolar"]:
            w = 2 * ((beat.weight[pe][0] >> lane) & 1) - 1
        else:
            w = value(beat.weight[pe], lane, beat.weight_sign)
        if p["ActBipolar"]:  # w * a = 2 * equal - 1; the -1 of every input is in Init
            total += w * (2 * ((beat.act[0] >> lane) & 1) - 1) + 1
        else:
            total += w * value(beat.act, lane, beat.act_sign)
    return total


def pack(fields: list[int], width: int) -> int:
    return sum(f << (k * width) for k, f in enumerate(fields))


def apply(dut, p: dict[str, int], beat: Beat) -> None:
    dut.valid_i.value = int(beat.valid)
    dut.first_i.value = int(beat.first)
    dut.last_i.value = int(beat.last)
    dut.shift_i.value = beat.shift
    dut.weight_sign_i.value = int(beat.weight_sign)
    dut.act_sign_i.value = int(beat.act_sign)
    dut.act_i.value = pack(beat.act, p["Simd"])
    dut.weight_i.value = pack([w for row in beat.weight for w in row], p["Simd"])


async def play(dut, p: dict[str, int], beats: list[Beat]) -> list[list[int] | None]:
    """Apply the beats; what came out for each, None where acc_valid_o was low."""
    delay = latency(p)
    out: list[list[int] | None] = []
    idle = Beat(
        valid=False,
        first=True,
        last=True,
        shift=0,
        weight_sign=False,
        act_sign=False,
        act=[0] * p["Ap"],
        weight=[[0] * p["Wp"]] * p["Pe"],
    )
    mask = (1 << p["AccWidth"]) - 1
    for beat in [*beats, *[idle] * delay]:
        if dut.acc_valid_o.value:
            word = int(dut.acc_o.value)
            out.append([(word >> (k * p["AccWidth"])) & mask for k in range(p["Pe"])])
        else:
            out.append(None)
        apply(dut, p, beat)
        await FallingEdge(dut.clk_i)
    return out[delay:]


def golden(p: dict[str, int], beats: list[Beat]) -> list[list[int] | None]:
    """The first valid beat must be a first one."""
    mask = (1 << p["AccWidth"]) - 1
    acc = [0] * p["Pe"]
    out: list[list[int] | None] = []
    for beat in beats:
        if beat.valid:
            kept = [p["Init"] if beat.first else a << beat.shift for a in acc]
            acc = [(k + contribution(p, beat, pe)) & mask for pe, k in enumerate(kept)]
        out.append(list(acc) if beat.valid and beat.last else None)
    return out


def opening(p: dict[str, int], rng: random.Random) -> Beat:
    beat = random_beat(p, rng, 1.0)
    return Beat(**{**beat.__dict__, "valid": True, "first": True})


@cocotb.test()
async def equals_integer_arithmetic_for_any_flags(dut):
    p = settings()
    rng = random.Random(11)
    apply(dut, p, opening(p, rng))
    dut.valid_i.value = 0
    await start(dut)
    for valid in (1.0, 0.5):
        beats = [opening(p, rng), *[random_beat(p, rng, valid) for _ in range(250)]]
        assert await play(dut, p, beats) == golden(p, beats)


@cocotb.test()
async def reset_drops_beats_on_their_way(dut):
    p = settings()
    rng = random.Random(12)
    apply(dut, p, opening(p, rng))
    dut.valid_i.value = 0
    await start(dut)
    for _ in range(latency(p) + 3):
        apply(dut, p, opening(p, rng))
        dut.last_i.value = p["LastNegative"]
        await FallingEdge(dut.clk_i)
    dut.valid_i.value = 0
    dut.rst_ni.value = 0
    await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    for _ in range(latency(p) + 3):
        assert dut.acc_valid_o.value == 0
        await FallingEdge(dut.clk_i)
    beats = [opening(p, rng), *[random_beat(p, rng, 0.8) for _ in range(40)]]
    assert await play(dut, p, beats) == golden(p, beats)
