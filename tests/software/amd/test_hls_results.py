"""C++ thresholds, divisions, planes and biases on the RTL's own cases."""

import numpy as np
import pytest
from divide_cases import SHAPES as LINES
from divide_cases import lines_of, sizes_of
from divide_cases import thresholds_of as line_thresholds
from hls_units import Ran, Unit, run_units
from mvtu_layer import write_image, write_lanes
from threshold_cases import ONE_TABLE, SHAPES, accumulators, thresholds_of

from bitfold.sim.reference import (
    apply_thresholds,
    pack_biases,
    pack_divisors,
    pack_thresholds,
    to_mem,
    to_plane_beats,
)

pytestmark = pytest.mark.slow

VECTORS, FRAMES = 15, 2
Case = tuple[Unit, list[int]]  # with what must come out


def unit(name: str, parameters: dict, acc: np.ndarray, out: str) -> Unit:
    pe, folds = parameters["Pe"], parameters["Folds"]
    return Unit(
        name=name,
        module="bf_results",
        parameters=parameters,
        call=f"bf_results<{{P}}, {pe}, {folds}>({{in0}}, {{out0}}, {{frames}})",
        inputs=[(f"vec<ap_int<{parameters['AccWidth']}>, {pe}>", acc.reshape(-1).tolist())],
        outputs=[out],
        loops=["results_loop"],
        frames=FRAMES,
        more={"FrameVectors": VECTORS},
    )


def coded(name: str, parameters: dict, thresholds: np.ndarray) -> Case:
    """A unit that gives codes by these thresholds."""
    bits, tpe = parameters["OutBits"], parameters["Tpe"]
    acc = accumulators(parameters, thresholds, VECTORS * FRAMES, seed=3)
    codes = apply_thresholds(acc, thresholds)
    if parameters["OutSigned"] != "1'b0":
        codes = codes ^ (1 << (bits - 1))
    wanted = [beat for row in codes for beat in to_plane_beats(row, bits, tpe)]
    return unit(name, parameters, acc, f"ap_uint<{tpe}>"), wanted


def searched(name: str, shape: tuple[int, ...], *, one: bool) -> Case:
    pe, tpe, folds, acc_width, bits, signed = shape
    sizes = {"Pe": pe, "Folds": folds, "AccWidth": acc_width, "OutBits": bits}
    thresholds = thresholds_of({**sizes, "OneTable": int(one)})
    rows, by = (thresholds[:tpe], tpe) if one else (thresholds, pe)
    lanes = pack_thresholds(rows, bits, pe=by, tpe=tpe, acc_width=acc_width)
    file = write_lanes([to_mem(words, acc_width + 1) for words in lanes])
    flags = {"OutSigned": f"1'b{signed}", "OneTable": f"1'b{int(one)}"}
    return coded(name, {**sizes, "Tpe": tpe, **flags, "ThresholdFile": file}, thresholds)


def divided(name: str, shape: tuple[int, ...]) -> Case:
    pe, tpe, folds, acc_width, bits, signed, shift, one, half = shape
    sizes = {"Pe": pe, "Folds": folds, "AccWidth": acc_width, "OutBits": bits}
    asked = {**sizes, "Shift": shift, "OneTable": one, "Half": half}
    slopes, offsets = lines_of(asked)
    width, slope_bits = sizes_of(asked)
    if one:
        slopes, offsets = slopes[:tpe], offsets[:tpe]
    lanes = pack_divisors(slopes, offsets, bits, width=width, slope_bits=slope_bits, tpe=tpe)
    parameters = {
        **sizes,
        "Tpe": tpe,
        "OutSigned": f"1'b{signed}",
        "Divide": "1'b1",
        "DivideShift": shift,
        "DivideWidth": width,
        "SlopeWidth": slope_bits,
        "DivideHalf": f"1'b{half}",
        "OneTable": f"1'b{one}",
        "ThresholdFile": write_lanes([to_mem(words, width + slope_bits) for words in lanes]),
    }
    return coded(name, parameters, line_thresholds(asked))


def raw(name: str, pe: int, tpe: int, folds: int, width: int) -> Case:
    acc = np.random.default_rng(1).integers(
        -(1 << width - 1), 1 << width - 1, (VECTORS * FRAMES, pe * folds)
    )
    wanted = [b for row in acc & ((1 << width) - 1) for b in to_plane_beats(row, width, tpe)]
    parameters = {"Pe": pe, "Folds": folds, "AccWidth": width, "OutBits": width, "Tpe": tpe}
    return unit(name, {**parameters, "Raw": "1'b1"}, acc, f"ap_uint<{tpe}>"), wanted


def last(name: str, pe: int, folds: int, width: int, shift: int) -> Case:
    """Biases that overflow, too: modulo 2**width."""
    rng, half = np.random.default_rng(2), 1 << width - 1
    acc = rng.integers(-half, half, (VECTORS * FRAMES, pe * folds))
    biases = rng.integers(-half, half, pe * folds)
    file = write_image(to_mem(pack_biases(biases, pe=pe, width=width), pe * width))
    wanted = ((acc << shift) + biases + half) % (2 * half) - half
    parameters = {"Pe": pe, "Folds": folds, "AccWidth": width, "Tpe": 1, "AccShift": shift}
    parameters |= {"Final": "1'b1", "HasBias": "1'b1", "BiasFile": file}
    return unit(name, parameters, acc, f"vec<ap_int<{width}>, {pe}>"), wanted.reshape(-1).tolist()


CASES = {
    **{f"threshold{i}": searched(f"threshold{i}", s, one=False) for i, s in enumerate(SHAPES)},
    **{f"one_table{i}": searched(f"one_table{i}", s, one=True) for i, s in enumerate(ONE_TABLE)},
    **{f"divide{i}": divided(f"divide{i}", s) for i, s in enumerate(LINES)},
    "planes": raw("planes", 6, 2, 2, 9),
    "plane": raw("plane", 1, 1, 1, 1),
    "bias": last("bias", 3, 2, 12, 0),
    "shifted_bias": last("shifted_bias", 2, 1, 7, 1),
}


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    return run_units("results", [unit for unit, _ in CASES.values()])


@pytest.mark.parametrize("name", list(CASES))
def test_beats_equal_golden(name: str, ran: dict[str, Ran]) -> None:
    assert ran[name].outputs == [CASES[name][1]]


@pytest.mark.parametrize("name", list(CASES))
def test_a_beat_a_trip(name: str, ran: dict[str, Ran]) -> None:
    """A word of several integers is one beat."""
    made, wanted = CASES[name]
    items = made.parameters["Pe"] if "Final" in made.parameters else 1
    assert ran[name].trips == {"results_loop": len(wanted) // items}
