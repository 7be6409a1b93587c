"""The section that puts FINN's own estimates beside bitfold's."""

from collections.abc import Sequence

from bitfold.report.folder import Json, RunFolder
from bitfold.report.sections import table
from bitfold.report.text import esc, number, short

NOTE = (
    "Estimates, both; nothing here is synthesised. bitfold is folded for the rate that FINN's "
    "estimate reaches. FINN's figures hold no FIFOs and no width converters, and nothing for the "
    "kinds of layers named below the table; bitfold's hold everything."
)


def finn(run: RunFolder) -> str | None:
    """Totals of both flows, and FINN's layers; None if FINN was not asked."""
    if run.finn is None:
        return None
    found, ours = run.finn, run.finn["bitfold"]
    clock = float(found["clock_mhz"])
    totals = table(
        ("flow", "frames/s", "latency us", "LUTs", "BRAM36", "DSPs"),
        [
            (
                f"FINN, {esc(found['part'])}",
                short(found["fps"]),
                number(found["latency_us"], 1),
                number(found["luts"], 0),
                f"{found['brams']:g}",
                number(found["dsps"], 0),
            ),
            (
                f"bitfold, bit-serial, {esc(ours['target'])}",
                short(ours["fps"]),
                number(ours["latency_cycles"] / clock, 1),
                number(ours["luts"], 0),
                f"{ours['brams']:g}",
                "0",
            ),
        ],
    )
    without = ", ".join(esc(kind) for kind in found["uncounted"])
    said = f'<p class="note">FINN counts nothing for {without}.</p>' if without else ""
    compared, worst = number(found["compared"]), number(max(found["differ"].values()))
    proof = (
        f'<p class="note">Of {compared} integers {worst} differ between the golden model and '
        "FINN's own execution of its graphs.</p>"
    )
    return totals + said + proof + _layers(found["nodes"])


def _layers(layers: Sequence[Json]) -> str:
    rows = [
        (
            esc(layer["name"]),
            number(layer["cycles"]),
            number(layer["luts"], 0),
            f"{layer['brams']:g}",
            number(layer["dsps"], 0),
        )
        for layer in layers
    ]
    return table(("FINN's layer", "cycles", "LUTs", "BRAM36", "DSPs"), rows)
