"""The section of precision modes: which bits each has, and which inputs run in it."""

from bitfold.report import charts
from bitfold.report.folder import Json, RunFolder
from bitfold.report.sections import table
from bitfold.report.text import esc, number, percent, short

NOTE = (
    "One set of weights; a mode skips the least significant bit-planes of it. A policy picks the "
    "mode from the input. Shares and accuracies are those of the test set."
)


def modes(run: RunFolder) -> str | None:
    """Bits by mode and layer, the share of each mode by the quality of inputs, and the rate of each
    in hardware; None if there are no modes."""
    parts = [part for part in (_searched(run), _rates(run)) if part is not None]
    return "".join(parts) or None


def _rates(run: RunFolder) -> str | None:
    """Cycles of a frame in each mode, predicted and measured; None for another design."""
    predicted = (run.manifest or {}).get("predicted", {}).get("modes", ())
    if not predicted:
        return None
    measured = {row["mode"]: row for row in (run.verify or {}).get("modes", ())}
    rows = []
    for index, mode in enumerate(predicted):
        found = measured.get(index)
        rows.append(
            (
                esc(index),
                number(mode["interval_cycles"]),
                number(found["interval_measured"]) if found else "-",
                number(mode["latency_cycles"]),
                number(mode["fps"]),
                esc(", ".join(mode["binding"])),
            )
        )
    heads = ("mode", "cycles a frame", "measured", "latency", "frames a second", "bound by")
    return f"<h3>Rate of each mode in hardware</h3>{table(heads, rows)}"


def _searched(run: RunFolder) -> str | None:
    if run.modes is None:
        return None
    value = run.modes
    alone, batch = (value["use"]["test"][how] for how in ("per_input", "per_batch"))
    budget, held = value["budget"], value["use"]["validation"]["per_input"]["cost"]
    note = (
        f'<p class="note">Mean {esc(budget["kind"])} on the validation split '
        f"{number(held, 0)} of {number(budget['limit'], 0)}, "
        f"{percent(held / budget['limit'])}. Where 64 inputs of one quality share a mode: test "
        f"accuracy {percent(batch['accuracy'], 2)} against {percent(alone['accuracy'], 2)}, mean "
        f"BitOps {short(batch['bitops'])} against {short(alone['bitops'])}.</p>"
    )
    return (
        f"<h3>Bits, weights x activations</h3>{_bits(value)}"
        f"<h3>Who runs in which mode</h3>{_shares(alone)}{note}"
    )


def _bits(value: Json) -> str:
    """One row a mode; the stored precision is marked."""
    names = list(value["modes"][0]["layers"])
    share = value["use"]["test"]["per_input"]["share"]
    rows = []
    for index, mode in enumerate(value["modes"]):
        label = f"{index}"
        if index == value["stored"]:
            label += ", stored" + ("" if mode["picked"] else ", not picked")
        cells = [
            f"{int(mode['layers'][n]['w_bits'])}x{int(mode['layers'][n]['a_bits'])}" for n in names
        ]
        used = f"{charts.share(share[index], 1)}{percent(share[index])}"
        rows.append([label, *cells, short(mode["bitops"]), used])
    return table(["mode", *names, "BitOps", "share"], rows)


def _shares(use: Json) -> str:
    """One row a quality, and one for all."""
    count = len(use["share"])
    parts = (
        [*use["by_quality"].items(), ("all", use)] if len(use["by_quality"]) > 1 else [("all", use)]
    )
    rows = [
        [
            esc(name),
            *[
                f"{charts.share(part['share'][m], 2)}{percent(part['share'][m], 0)}"
                for m in range(count)
            ],
            short(part["bitops"]),
            percent(part["accuracy"], 2),
        ]
        for name, part in parts
    ]
    heads = ["quality", *[f"mode {m}" for m in range(count)], "mean BitOps", "accuracy"]
    return table(heads, rows, total=True)
