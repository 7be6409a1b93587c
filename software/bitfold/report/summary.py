"""The report's main figures as rows for the terminal."""

from bitfold.report.folder import RunFolder

Row = tuple[str, str, str]


def summary(run: RunFolder) -> list[Row]:
    """(figure, value, compared with); parts that were not run are left out."""
    rows: list[Row] = []
    if run.metrics:
        found = run.metrics["accuracy"]
        others = [f"{k} {v['test']:.2%}" for k, v in found.items() if k != "searched"]
        rows.append(("test accuracy", f"{found['searched']['test']:.2%}", ", ".join(others)))
        bitops, size = run.metrics["bitops"], run.metrics["size_bits"]
        rows.append(
            ("BitOps a frame", f"{bitops['searched']:,}", f"8-bit uniform {bitops['uniform8']:,}")
        )
        rows.append(("weight bits", f"{size['searched']:,}", f"float {size['float']:,}"))
    if run.policy:
        bits = run.policy["layers"].items()
        value = " ".join(f"{b['w_bits']}/{b['a_bits']}" for _, b in bits)
        rows.append(("bits, weights/activations", value, " ".join(str(name) for name, _ in bits)))
    if run.manifest:
        expected = run.manifest["predicted"]
        clock = f"at {run.manifest['clock_mhz']:g} MHz"
        rows.append(("frames a second", f"{expected['fps']:,.0f}", clock))
    if run.verify:
        found = run.verify
        rows.append(("integers that differ", str(found["mismatches"]), f"of {found['outputs']:,}"))
        late = sum(not t["frames_equal"] for t in found["timing"])
        rows.append(("streams off the cycle model", str(late), f"of {len(found['timing'])}"))
    for target, made in run.synth.items():
        expected = run.predicted.get(target)
        said = f"predicted {expected['luts']:,.0f}" if expected else ""
        rows.append((f"LUTs on {target}", f"{made['totals']['luts']:,}", said))
        if made["fmax_mhz"]:
            rows.append((f"Fmax on {target}", f"{made['fmax_mhz']:.1f} MHz", made["part"]))
    if run.bitstream:
        size_bytes = f"{run.bitstream['size_bytes']:,} bytes"
        rows.append((f"bitstream {run.bitstream['board']}", size_bytes, run.bitstream["part"]))
    if run.timings:
        total = run.wall_seconds or sum(seconds for _, seconds in run.timings)
        rows.append(("wall time of all steps", f"{total:.0f} s", ""))
    return rows
