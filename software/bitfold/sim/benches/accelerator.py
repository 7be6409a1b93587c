"""cocotb tests of a whole accelerator in its generated bench (`bf_bench`).

`full_rate`: frames from a file, one beat a cycle, without Python in the loop; for timing.
`protocol_*`: cocotbext-axi at both ports, without and with random stalls, with a reset in
mid-frame before. Outputs go to files; the parent process compares them with the golden run.
"""

import itertools
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
    AxiStreamBus,
    AxiStreamSink,
    AxiStreamSource,
)

STALL = 0.3


def _pauses(seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    return (rng.random() < STALL for _ in itertools.count())


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
    await _reset(dut)
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
    for start in range(0, len(data), bytes_per_frame):
        source.send_nowait(data[start : start + bytes_per_frame])
    outputs = []
    for _ in range(frames):
        frame = await with_timeout(sink.recv(), limit * 10, "ns")
        outputs.append(np.frombuffer(bytes(frame.tdata), "<i4"))
    np.save(f"{name}.npy", np.stack(outputs))


@cocotb.test()
async def protocol_no_stalls(dut: Any) -> None:
    """Frames back to back."""
    await _protocol(dut, "protocol_no_stalls", stalls=False)


@cocotb.test()
async def protocol_stalls(dut: Any) -> None:
    """valid and ready withdrawn at random."""
    await _protocol(dut, "protocol_stalls", stalls=True)
