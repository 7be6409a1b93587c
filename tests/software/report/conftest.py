"""A run folder written by hand: every artefact that the report reads, with known figures."""

import json
from pathlib import Path
from typing import Any

import pytest

LAYERS = ("conv1", "dense")


def use(luts: int) -> dict[str, Any]:
    cells = {"LUT4": luts}
    return {"luts": luts, "lut_memory": 0, "ffs": 7, "brams": 1.5, "dsps": 0, "carries": 0,
            "cells": cells}  # fmt: skip


def metrics() -> dict[str, Any]:
    epochs = [{"epoch": n, "loss": 2.0 / (n + 1), "accuracy": 0.5 + n / 10, "lr": 0.1,
               "validation": 0.6 + n / 10} for n in range(4)]  # fmt: skip
    without = [{k: v for k, v in e.items() if k != "validation"} for e in epochs]
    return {
        "kind": "metrics", "schema": 1, "data": "digits", "model": {"name": "convnet"},
        "method": {"method": "limpq"}, "seed": 3,
        "accuracy": {
            "float": {"validation": 0.99, "test": 0.985},
            "searched": {"validation": 0.98, "test": 0.9725},
            "uniform8": {"validation": 0.99, "test": 0.98},
        },
        "bitops": {"searched": 2_000_000, "uniform8": 14_000_000},
        "size_bits": {"searched": 29_280, "uniform8": 66_688, "float": 266_752},
        "budget": {
            "kind": "bitops",
            "like_uniform": 3,
            "wanted": 2_000_100,
            "reached": 2_000_000,
            "also": [{"kind": "size", "like_uniform": None, "wanted": 40_000, "reached": 30_000}],
        },
        "seconds": {"float": 1.5, "search": 2.5},
        "history": {"float": epochs, "search": without, "finetune": epochs, "uniform8": epochs},
        "versions": {"torch": "2.12.1"},
    }  # fmt: skip


def policy() -> dict[str, Any]:
    layers = {name: {"w_bits": 3 + n, "a_bits": 2} for n, name in enumerate(LAYERS)}
    return {"kind": "policy", "schema": 1, "made_by": {}, "layers": layers}


def manifest() -> dict[str, Any]:
    stages = [
        {"name": name, "luts": 100.0 * (n + 1), "brams": n, "cycles": 900 - 100 * n,
         "binds": n == 0, "utilisation": 0.75}
        for n, name in enumerate(LAYERS)
    ]  # fmt: skip
    predicted = {"target": "ecp5", "luts": 300.0, "ffs": 8.0, "brams": 1, "interval_cycles": 900,
                 "latency_cycles": 2000, "fps": 55_555.5, "stages": stages}  # fmt: skip
    return {"kind": "design", "schema": 1, "bitfold": "0.1.0", "target": "ecp5", "clock_mhz": 50.0,
            "model": {"file": "model.onnx", "sha256": "0" * 64}, "predicted": predicted,
            "versions": {"onnx": "1.21.0"}}  # fmt: skip


def verify(design: str) -> dict[str, Any]:
    timing = [
        {"stage": name, "latency_predicted": 1234, "latency_measured": 1234,
         "interval_predicted": 900, "interval_measured": 900, "frames_equal": True}
        for name in LAYERS
    ]  # fmt: skip
    return {"kind": "verify", "schema": 1, "design": design, "samples": "test.npz", "exact": True,
            "frames": 360, "protocol_frames": 100, "outputs": 5600, "mismatches": 0,
            "timing": timing, "argmax_accuracy": 0.9725, "simulated_cycles": 400_000,
            "cycles_per_second": 500_000.0, "build_seconds": 12.0,
            "versions": {"cocotb": "2.1.0"}}  # fmt: skip


def synth(target: str) -> dict[str, Any]:
    modules = [{"path": f"bf_accelerator/u_{name}", "module": "bf_mvtu", "use": use(111 + n)}
               for n, name in enumerate(LAYERS)]  # fmt: skip
    return {"kind": "synth", "schema": 1, "top": "bf_accelerator", "target": target,
            "part": "lfe5u-25f", "totals": use(321), "fmax_mhz": 98.7,
            "fits": {"luts": 0.0132, "ffs": 0.1, "brams": 0.1, "dsps": 0.0},
            "modules": modules, "warnings": [], "tools": {"yosys": "0.70"}, "seconds": 9.0,
            "design": "0" * 64}  # fmt: skip


def bitstream() -> dict[str, Any]:
    return {"kind": "bitstream", "schema": 1, "board": "ulx3s", "part": "lfe5u-85f",
            "size_bytes": 555_000, "clock_mhz": 50.0, "fmax_mhz": 61.5, "seconds": 80.0,
            "design_id": "0" * 16, "tools": {"ecppack": "0.11"}}  # fmt: skip


def explored() -> dict[str, Any]:
    proof = {"design": "at-900", "interval_cycles": 900, "outputs": 30, "mismatches": 0,
             "exact": True, "luts": 4321, "ffs": 8, "brams": 1.0}  # fmt: skip
    points = [
        {"interval_cycles": 1800 // n, "latency_cycles": 2000, "fps": 27_777.7 * n,
         "luts": 2345.6 * n, "ffs": 8.0, "brams": 1, "binding": list(LAYERS)[:n],
         "one_percent": 12.0 if n == 1 else None, "proof": proof if n == 2 else None}
        for n in (1, 2)
    ]  # fmt: skip
    return {"kind": "explore", "schema": 1, "target": "xcup", "clock_mhz": 50.0,
            "model": {"file": "model.onnx", "sha256": "0" * 64}, "points": points}  # fmt: skip


def finn() -> dict[str, Any]:
    layers = [{"name": "MVAU_hls_0", "kind": "MVAU_hls", "cycles": 777, "luts": 345.0, "brams": 0.5,
               "dsps": 0.0}]  # fmt: skip
    ours = {"target": "xc7", "fps": 128_900.0, "latency_cycles": 5100, "luts": 1717.4, "brams": 2}
    return {"kind": "finn-estimate", "schema": 1, "part": "xc7z020clg400-1", "clock_mhz": 100.0,
            "fps": 128_700.0, "latency_us": 55.5, "luts": 345.0, "brams": 0.5, "dsps": 0.0,
            "nodes": layers, "uncounted": ["Pool_hls"], "differ": {"file": 0}, "compared": 20,
            "generated": {".cpp": 1}, "seconds": {}, "wanted_fps": 1000.0, "bitfold": ours,
            "model": {"file": "model.onnx", "sha256": "0" * 64}}  # fmt: skip


def write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All artefacts. No design is behind them, so what reads one is replaced by known figures."""
    import hashlib

    from bitfold.report import folder as module

    folder = tmp_path / "digits"
    write(folder / "metrics.json", metrics())
    write(folder / "policy.json", policy())
    write(folder / "explore" / "explore.json", explored())
    write(folder / "finn.json", finn())
    path = folder / "design" / "manifest.json"
    write(path, manifest())
    write(folder / "design" / "verify.json", verify(hashlib.sha256(path.read_bytes()).hexdigest()))
    write(folder / "design" / "synth-ecp5.json", synth("ecp5"))
    write(folder / "design" / "bitstream" / "bitstream.json", bitstream())
    steps = [{"step": "search", "seconds": 12.5}, {"step": "verify", "seconds": 31.0}]
    write(folder / "timings.json", {"kind": "timings", "schema": 1, "steps": steps})
    expected = {"ecp5": manifest()["predicted"]}
    monkeypatch.setattr(module, "_predictions", lambda _folder, _targets: expected)
    monkeypatch.setattr(module, "_stale_hardware", lambda _run: [])
    return folder
