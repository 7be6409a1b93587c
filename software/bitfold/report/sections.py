"""The sections of the page, each from what it shows: None where that was not run."""

from collections.abc import Mapping, Sequence
from typing import Any

from bitfold.report import charts
from bitfold.report.folder import Json, RunFolder
from bitfold.report.text import esc, number, percent, ratio, seconds, short

MAX_BITS = 8
# Names of the networks in metrics.json, in the order in which they are shown.
NETWORKS = (("float", "float"), ("uniform8", "8-bit uniform"), ("searched", "searched"))
PHASES = (
    ("float", "float pretraining"),
    ("search", "search"),
    ("finetune", "finetuning"),
    ("uniform8", "8-bit uniform"),
)


def section(
    title: str, body: str | None, command: str, *, wide: bool = False, note: str = ""
) -> str:
    """A card; without a body it says how to get one. `body` and `note` are HTML."""
    if body is None:
        body = f'<p class="missing">Not run. <code>bitfold {esc(command)}</code> makes it.</p>'
        note = ""
    said = f'<p class="note">{note}</p>' if note else ""
    kind = ' class="wide"' if wide else ""
    return f"<section{kind}><h2>{esc(title)}</h2>{said}{body}</section>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False) -> str:
    """A table whose cells are HTML already; the last row may be a total."""
    head = "".join(f"<th>{esc(name)}</th>" for name in heads)
    lines = [
        f"<tr{' class=total' if total and n == len(rows) - 1 else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for n, row in enumerate(rows)
    ]
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def layer_bits(run: RunFolder) -> str | None:
    """Boxes for the bits of each layer."""
    if run.policy is None:
        return None
    rows = [
        '<span></span><span class="head">weights</span><span class="head">activations read</span>'
    ]
    for name, bits in run.policy["layers"].items():
        rows.append(f'<span class="label">{esc(name)}</span>')
        for colour, key in ((1, "w_bits"), (2, "a_bits")):
            boxes = charts.cells(int(bits[key]), MAX_BITS, colour)
            rows.append(f'<span class="pair"><b>{int(bits[key])}</b>{boxes}</span>')
    return f'<div class="bits">{"".join(rows)}</div>'


def accuracy(run: RunFolder) -> str | None:
    """Validation and test accuracy of the networks that were trained."""
    if run.metrics is None:
        return None
    found = run.metrics["accuracy"]
    rows = [
        (title, (found[key]["test"], found[key]["validation"]))
        for key, title in NETWORKS
        if key in found
    ]
    body = charts.legend(("test", "validation")) + charts.dots(rows, ("test", "validation"))
    hardware = (run.verify or {}).get("argmax_accuracy")
    if run.verify and hardware is not None:
        body += (
            f'<p class="note">The simulated hardware itself: {percent(hardware, 2)} on '
            f"{number(run.verify['frames'])} samples of {esc(run.verify['samples'])}.</p>"
        )
    return body


def curves(run: RunFolder) -> str | None:
    """Accuracy and loss by epoch of each phase."""
    if run.metrics is None:
        return None
    history = run.metrics["history"]
    phases = [(key, title) for key, title in PHASES if history.get(key)]
    shown: dict[str, list[tuple[str, list[float]]]] = {"accuracy": [], "loss": []}
    for key, title in phases:
        # A search has no validation of its own: its training accuracy stands in.
        value = "validation" if "validation" in history[key][0] else "accuracy"
        shown["accuracy"].append((title, [float(epoch[value]) for epoch in history[key]]))
        shown["loss"].append((title, [float(epoch["loss"]) for epoch in history[key]]))
    return (
        charts.legend([title for _, title in phases])
        + '<div class="two"><div><h3>Accuracy on the validation split (search: training split)</h3>'
        + charts.lines(shown["accuracy"], fraction=True, x_title="epoch")
        + "</div><div><h3>Training loss</h3>"
        + charts.lines(shown["loss"], fraction=False, x_title="epoch")
        + "</div></div>"
    )


def price(run: RunFolder) -> str | None:
    """BitOps and size against the 8-bit network, and the budget."""
    if run.metrics is None:
        return None
    bitops, size, budget = (run.metrics[key] for key in ("bitops", "size_bits", "budget"))
    titles = dict(NETWORKS)
    parts = ["<h3>BitOps of a frame</h3>"]
    parts.append(charts.bars([(titles[k], v, short(v)) for k, v in _ordered(bitops)]))
    parts.append("<h3>Weights</h3>")
    sizes = [(titles[k], v, f"{short(v / 8)}B") for k, v in _ordered(size)]
    parts.append(charts.bars(sizes, colour=2))
    limits = "; and ".join(_limit(each) for each in (budget, *budget.get("also", ())))
    parts.append(
        f'<p class="note" style="margin-top:14px">Budget: {limits}. BitOps are '
        f"{ratio(bitops['searched'], bitops['uniform8'])} than at 8 bits.</p>"
    )
    return "".join(parts)


def _limit(budget: Mapping[str, Any]) -> str:
    """One limit, and what of it is spent."""
    like = f" (uniform {esc(budget['like_uniform'])}-bit)" if budget.get("like_uniform") else ""
    return (
        f"{number(budget['wanted'], 0)} {esc(budget['kind'])}{like}; reached "
        f"{number(budget['reached'], 0)}, {percent(budget['reached'] / budget['wanted'])}"
    )


def _ordered(values: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(key, float(values[key])) for key, _ in NETWORKS if key in values]


def area(run: RunFolder) -> str | None:
    """LUTs predicted against synthesised by target, and what else synthesis counts."""
    if not run.synth:
        return None
    groups, rows = [], []
    for target, found in run.synth.items():
        totals = found["totals"]
        expected = run.predicted.get(target)
        group = [("synthesised", float(totals["luts"]), f"{number(totals['luts'])} LUTs")]
        error = "-"
        if expected:
            off = expected["luts"] / totals["luts"] - 1 if totals["luts"] else 0.0
            error = f"{100 * off:+.1f} %"
            group.insert(0, ("predicted", expected["luts"], f"{number(expected['luts'])} LUTs"))
        groups.append((f"{target} ({found['part']})", group))
        fmax = f"{found['fmax_mhz']:.1f}" if found["fmax_mhz"] else "-"
        rows.append(
            (
                esc(target),
                number(expected["luts"]) if expected else "-",
                number(totals["luts"]),
                error,
                percent(found["fits"]["luts"]),
                number(expected["ffs"]) if expected else "-",
                number(totals["ffs"]),
                number(expected["brams"]) if expected else "-",
                f"{totals['brams']:g}",
                number(totals["dsps"]),
                fmax,
            )
        )
    heads = (
        *("target", "LUTs predicted", "LUTs", "difference", "of the part"),
        *("FFs predicted", "FFs", "BRAMs predicted", "BRAMs", "DSPs", "Fmax MHz"),
    )
    return charts.paired_bars(groups) + "<h3>All resources</h3>" + table(heads, rows)


def stages(run: RunFolder) -> str | None:
    """Where time and area go: every stage's cycles, utilisation and LUTs."""
    if run.manifest is None:
        return None
    predicted = run.manifest["predicted"]
    interval, target = predicted["interval_cycles"], run.manifest["target"]
    real = _stage_luts(run.synth.get(target))
    most = max((row["luts"] for row in predicted["stages"]), default=1) or 1
    rows = []
    for row in predicted["stages"]:
        got = real.get(str(row["name"]))
        rows.append(
            (
                esc(row["name"]),
                _with_share(row["cycles"] / interval, 2, row["cycles"]),
                percent(row["cycles"] / interval, 0),
                percent(row["utilisation"], 0) if "utilisation" in row else "-",
                _with_share(row["luts"] / most, 1, row["luts"]),
                number(got),
                number(row["brams"]),
            )
        )
    total = ("total", number(interval), "", "", number(predicted["luts"]))
    top = (run.synth.get(target) or {}).get("totals", {}).get("luts")
    rows.append((*total, number(top), number(predicted["brams"])))
    heads = (
        *("stage", "cycles a frame", "busy", "lanes used", "LUTs predicted"),
        *(f"LUTs on {target}", "BRAMs"),
    )
    return table(heads, rows, total=True)


def _with_share(part: float, colour: int, value: float) -> str:
    return f'{charts.share(part, colour)}<span class="figure">{number(value)}</span>'


def _stage_luts(synth: Json | None) -> dict[str, int]:
    """Stage -> synthesised LUTs: instances u_<stage> directly below the top."""
    found = {}
    for module in (synth or {"modules": ()})["modules"]:
        path = str(module["path"]).split("/")
        if len(path) == 2:
            found[path[1].removeprefix("u_")] = module["use"]["luts"]
    return found


def cycles(run: RunFolder) -> str | None:
    """Predicted against measured cycles of each stream."""
    if run.verify is None:
        return None
    rows = []
    for row in run.verify["timing"]:
        equal = row["frames_equal"] is True
        mark = '<span class="good">equal</span>' if equal else '<span class="bad">differs</span>'
        keys = ("latency_predicted", "latency_measured", "interval_predicted", "interval_measured")
        rows.append((esc(row["stage"]), *(number(row[key]) for key in keys), mark))
    heads = ("end of", "first frame predicted", "measured", "interval predicted", "measured")
    return table((*heads, "every frame"), rows)


def times(run: RunFolder) -> str | None:
    """Wall time by step of the demo, or what the artefacts say of themselves."""
    steps = list(run.timings)
    if not steps:
        if run.metrics:
            titles = dict(PHASES)
            phases = run.metrics["seconds"].items()
            steps += [(titles.get(name, str(name)), float(value)) for name, value in phases]
        if run.verify:
            steps.append(("building the simulator", float(run.verify["build_seconds"])))
        steps += [(f"synth {name}", float(v["seconds"])) for name, v in run.synth.items()]
        if run.bitstream:
            steps.append(("bitstream", float(run.bitstream["seconds"])))
    if not steps:
        return None
    rows = [(name, value, seconds(value)) for name, value in steps]
    total = run.wall_seconds or sum(value for _, value in steps)
    return charts.bars(rows, colour=3) + f"<h3>From start to end {seconds(total)}</h3>"


def provenance(run: RunFolder) -> str:
    """Tool versions, and digests of the files that all this was made from."""
    versions: dict[str, Any] = {}
    for part in (run.metrics, run.manifest, run.verify):
        versions |= dict((part or {}).get("versions", {}))
    for part in (*run.synth.values(), run.bitstream):
        versions |= dict((part or {}).get("tools", {}))
    tools = "".join(f"<span>{esc(k)} <b>{esc(v)}</b></span>" for k, v in versions.items())
    digests = "".join(
        f"<tr><td>{esc(k)}</td><td><code>{esc(v)}</code></td></tr>" for k, v in run.inputs.items()
    )
    return (
        f'<h3>Tools</h3><p class="tools">{tools}</p>'
        f'<h3>Inputs, SHA-256</h3><table class="plain">{digests}</table>'
    )
