"""cocotb tests of a whole accelerator in its generated bench (`bf_bench`).

`full_rate`: frames from a file, one beat a cycle, without Python in the loop; for timing.
`protocol_*`: cocotbext-axi at both ports, without and with random stalls, with a reset in
mid-frame before. Where precision is chosen at run time every frame has a mode of its own: by its
s_axis_tuser, and in `protocol_stalls` by the register MODE, over AXI4-Lite. Where the host may
choose planes it writes those of a file before; in `protocol_stalls` before every frame, into a mode
of its own choice.
Outputs go to files; the parent process compares them with the golden run.
"""

import itertools
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from bitfold.compiler.registers import REGISTERS

STALL = 0.3
OFFSETS = {r.name: r.offset for r in REGISTERS}


def _pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    return (rng.random() < STALL for _ in itertools.count())


def _registers(dut: Any) -> AxiLiteMaster | None:
    """The bus of the registers, where there are any. To be made before the reset."""
    if not int(os.environ["BITFOLD_MODES"]):
        return None
    return AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst_n, False)


def _modes() -> bytes:
    return Path("modes.bin").read_bytes()


def _planes() -> dict[str, list[list[int]]]:
    """Registers PLANES, mode by mode: addresses, words, words at reset; no rows: read only."""
    found: dict[str, list[list[int]]] = json.loads(Path("planes.json").read_text())
    return found


async def _write_planes(registers: AxiLiteMaster) -> None:
    """What is to be other than after a reset."""
    planes = _planes()
    for row in zip(*planes.values(), strict=True) if planes["words"] else ():
        for offset, word, reset in zip(*row, strict=True):
            assert await registers.read_dword(offset) == reset
            if word != reset:
                await registers.write_dword(offset, word)


async def _reset(dut: Any) -> None:
    # Toggled by the simulator's own C++ code: no Python runs in a cycle that nobody waits for.
    Clock(dut.clk, 10, unit="ns", impl="gpi").start()
    await _hold_reset(dut)


async def _hold_reset(dut: Any) -> None:
    dut.rst_n.value = 0
    for _ in range(5):
        await RisingEdge(dut.clk)
    dut.rst_n.value = 1
    await RisingEdge(dut.clk)


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """Play all frames; write how many cycles passed in how many seconds."""
    frames = int(os.environ["BITFOLD_FRAMES"])
    dut.external.value = 0
    dut.run.value = 0
    dut.frames.value = frames
    registers = _registers(dut)
    await _reset(dut)
    if registers is not None:
        await _write_planes(registers)
        await registers.write_dword(OFFSETS["CONTROL"], 1)
    dut.run.value = 1
    started = time.monotonic()
    limit = int(os.environ["BITFOLD_CYCLE_LIMIT"])
    await with_timeout(RisingEdge(dut.done), limit * 10, "ns")
    seconds = time.monotonic() - started
    Path("rate.txt").write_text(f"{int(dut.cycle.value)} {seconds}\n")
    await Timer(10 * (int(os.environ["BITFOLD_TAIL_CYCLES"]) + 2), "ns")


async def _protocol(dut: Any, name: str, stalls: bool) -> None:
    bytes_per_frame = int(os.environ["BITFOLD_FRAME_BYTES"])
    frames = int(os.environ["BITFOLD_PROTOCOL_FRAMES"])
    limit = int(os.environ["BITFOLD_CYCLE_LIMIT"])
    data = Path(os.environ["BITFOLD_FRAME_FILE"]).read_bytes()[: bytes_per_frame * frames]
    dut.external.value = 1
    dut.run.value = 0
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst_n, False)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst_n, False)
    registers = _registers(dut)
    await _reset(dut)
    # A frame cut short by a reset must leave no trace.
    source.send_nowait(data[:bytes_per_frame])
    for _ in range(bytes_per_frame * 2 // 3 + 3):
        await RisingEdge(dut.clk)
    await _hold_reset(dut)
    source.clear()
    sink.clear()
    if stalls:
        source.set_pause_generator(_pauses(1))
        sink.set_pause_generator(_pauses(2))
    parts = [data[i : i + bytes_per_frame] for i in range(0, len(data), bytes_per_frame)]
    if registers is None:
        for part in parts:
            source.send_nowait(part)
    elif stalls:
        cocotb.start_soon(_write_modes(registers, source, parts))
    else:
        await _write_planes(registers)
        await registers.write_dword(OFFSETS["CONTROL"], 1)
        for part, mode in zip(parts, _modes(), strict=False):
            source.send_nowait(AxiStreamFrame(part, tuser=mode))
    outputs = []
    for _ in range(frames):
        frame = await with_timeout(sink.recv(), limit * 10, "ns")
        outputs.append(np.frombuffer(bytes(frame.tdata), "<i4"))
    np.save(f"{name}.npy", np.stack(outputs))


async def _write_modes(
    registers: AxiLiteMaster, source: AxiStreamSource, parts: list[bytes]
) -> None:
    """As a driver would: when a frame has begun to enter, the mode of the next, and that frame.

    Where planes can be written, those of the mode become those of another, which is written.
    """
    for seed, channel in enumerate((
        *(registers.write_if.aw_channel, registers.write_if.w_channel),
        *(registers.write_if.b_channel, registers.read_if.ar_channel, registers.read_if.r_channel),
    )):  # fmt: skip
        channel.set_pause_generator(_pauses(10 + seed))
    most, planes = 0, _planes()
    count = len(planes["words"])
    for frame, (part, mode) in enumerate(zip(parts, _modes(), strict=False)):
        while await registers.read_dword(OFFSETS["ENTERED"]) < frame:
            pass
        row = mode
        if count:
            row = (mode + frame) % count
            for offset, word in zip(planes["offsets"][row], planes["words"][mode], strict=True):
                await registers.write_dword(offset, word)
        await registers.write_dword(OFFSETS["MODE"], row)
        assert await registers.read_dword(OFFSETS["MODE"]) == row
        most = max(most, await registers.read_dword(OFFSETS["STATUS"]) >> 16)
        source.send_nowait(part)
        Path("inside.txt").write_text(str(most))


@cocotb.test()
async def protocol_no_stalls(dut: Any) -> None:
    """Frames back to back."""
    await _protocol(dut, "protocol_no_stalls", stalls=False)


@cocotb.test()
async def protocol_stalls(dut: Any) -> None:
    """valid and ready withdrawn at random."""
    await _protocol(dut, "protocol_stalls", stalls=True)
