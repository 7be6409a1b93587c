"""Run one RTL module's cocotb bench: lint, build with given parameters, simulate, no failures.

`bench("bf_fifo", Depth=4)` builds hardware/rtl/bf_fifo.sv and runs every cocotb test of
tests/hardware/bench_bf_fifo.py, which reads the parameters with `streams.parameters()`.
"""

from pathlib import Path

from bitfold.sim.simulate import simulate
from bitfold.sim.verilator import build, lint

ROOT = Path(__file__).resolve().parents[2]
RTL = ROOT / "hardware" / "rtl"
HERE = Path(__file__).resolve().parent
CACHE = ROOT / "build" / "verilator"
WAIVERS = ROOT / "hardware" / "lint" / "waivers.vlt"


def rtl_sources() -> list[Path]:
    """Waivers first, then every module; Verilator takes from them what the top needs."""
    return [WAIVERS, *sorted(RTL.glob("*.sv"))]


def bench(
    module: str,
    *,
    seed: int = 1,
    tests: tuple[str, ...] = (),
    extra: tuple[Path, ...] = (),
    bench_module: str | None = None,
    name: str = "",
    inside: bool = False,
    **parameters: int | str,
) -> None:
    """Assert that `module` lints clean with these parameters and that its bench passes.

    inside: the bench looks behind the ports.
    """
    sources = [*rtl_sources(), *extra]
    messages = lint(sources, module, parameters)
    assert not messages, messages
    built = build(sources, module, CACHE, parameters=parameters, public=inside)
    folder = ROOT / "build" / "tests" / f"{built.executable.parent.name}-{seed}{name}"
    results = simulate(
        built, bench_module or f"bench_{module}", folder, search=[HERE], seed=seed, tests=tests
    )
    assert results, f"no cocotb test ran; see {folder / 'sim.log'}"
    failed = [f"{r.name}: {r.failure}" for r in results if r.failure]
    assert not failed, "\n".join([*failed, (folder / "sim.log").read_text()[-3000:]])
