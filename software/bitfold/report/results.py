"""A page over many runs: every result beside what others have published of the same network."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from bitfold.errors import ArtefactError
from bitfold.files import read_json
from bitfold.report import charts
from bitfold.report.frame import frame
from bitfold.report.sections import PHASES, section, table
from bitfold.report.text import esc, number, percent, seconds, short

SCHEMA = 1
PATTERN = "*_seed*.json"
Json = Mapping[str, Any]


@final
@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the comparison. Accuracies are fractions; None is not known."""

    data: str
    model: str
    method: str
    w_bits: float | None  # mean over weights
    a_bits: str
    compression: float | None  # 32 / w_bits
    bitops: float | None
    accuracy: float | None  # test
    best: float | None  # validation, of the best epoch
    source: str
    ours: bool


def read_results(folder: Path) -> tuple[Json, ...]:
    """All results in `folder`, by file name; a run folder has none.

    Raises: ArtefactError for a damaged one.
    """
    return tuple(read_json(path, "result", SCHEMA) for path in sorted(folder.glob(PATTERN)))


def rows(results: Sequence[Json]) -> tuple[Row, ...]:
    """Ours, and the published figures of the networks that ours are of; those first.

    Raises: ArtefactError when a result lacks what its schema promises.
    """
    try:
        ours = [_ours(result) for result in results]
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ArtefactError(
            f"a result is malformed ({type(error).__name__}: {error}); make it again"
        ) from error
    seen = {(row.data, row.model) for row in ours}
    others = [row for row in published() if (row.data, row.model) in seen]
    order = {key: n for n, key in enumerate(dict.fromkeys((r.data, r.model) for r in ours))}
    return tuple(sorted([*others, *ours], key=lambda r: (order[r.data, r.model], r.method, r.ours)))


def published() -> tuple[Row, ...]:
    """The figures of published.toml."""
    text = (files("bitfold.report") / "published.toml").read_text()
    return tuple(
        Row(
            data=each["data"],
            model=each["model"],
            method=each["method"],
            w_bits=each.get("w_bits"),
            a_bits=each.get("a_bits", "32" if each["method"] == "float" else "-"),
            compression=each.get("compression"),
            bitops=None,
            accuracy=each["accuracy"] / 100 if "accuracy" in each else None,
            best=None,
            source=each["source"],
            ours=False,
        )
        for each in tomllib.loads(text)["figure"]
    )


def _ours(result: Json) -> Row:
    layers = result["layers"]
    weights = sum(layer["weights"] for layer in layers)
    w_bits = sum(layer["weights"] * layer["w_bits"] for layer in layers) / weights
    widths = sorted({layer["a_bits"] for layer in layers})
    history = result["history"].get("finetune") or [{}]
    return Row(
        data=result["data"],
        model=result["model"]["name"],
        method=result["method"]["method"],
        w_bits=w_bits,
        a_bits="-".join(str(w) for w in dict.fromkeys((widths[0], widths[-1]))),
        compression=32 / w_bits,
        bitops=result["bitops"]["searched"],
        accuracy=result["accuracy"]["searched"]["test"],
        best=max((e["validation"] for e in history if "validation" in e), default=None),
        source=f"seed {result['seed']}, {result['device']}, commit {result['commit'][:10]}, "
        f"{_schedule(result)}; float {100 * result['accuracy']['float']['test']:.2f}",
        ours=True,
    )


def _schedule(result: Json) -> str:
    epochs = [(title, len(result["history"].get(key, ()))) for key, title in PHASES[:3]]
    return ", ".join(f"{count} epochs {title}" for title, count in epochs if count)


def render_results(name: str, results: Sequence[Json]) -> str:
    """The page; `name` is the folder's. Raises: ArtefactError."""
    heads = ("network", "by", "weight bits", "act. bits", "compression", "BitOps", "test", "best "
             "epoch, validation", "where")  # fmt: skip
    body = table(
        heads,
        [
            (
                f"{esc(row.model)}, {esc(row.data)}",
                f"<b>{esc(row.method)}</b>" if row.ours else esc(row.method),
                "-" if row.w_bits is None else f"{row.w_bits:.2f}",
                esc(row.a_bits),
                "-" if row.compression is None else f"{row.compression:.2f}x",
                "-" if row.bitops is None else short(row.bitops),
                "-" if row.accuracy is None else percent(row.accuracy, 2),
                "-" if row.best is None else percent(row.best, 2),
                esc(row.source if row.ours else f"published: {row.source}"),
            )
            for row in rows(results)
        ],
    )
    note = (
        "Bold: runs of bitfold. Weight bits are the mean over weights, signs and first and last "
        "layer included; published figures count as their source does."
    )
    parts = [section("Beside published figures", body, "", wide=True, note=note)]
    parts += [
        section(
            f"{result['method']['method']}, seed {result['seed']}",
            _run(result),
            "",
            note=esc(_schedule(result)),
        )
        for result in results
    ]
    said = f"{number(len(results))} runs"
    return frame(name, said, "", f'<div class="page">{"".join(parts)}</div>')


def _run(result: Json) -> str:
    curves = [
        (title, [entry["accuracy"] for entry in result["history"][key]])
        for key, title in PHASES
        if result["history"].get(key)
    ]
    times = "; ".join(f"{esc(k)} {seconds(v)}" for k, v in result["seconds"].items())
    drawn = charts.legend([title for title, _ in curves]) + charts.lines(
        curves, fraction=True, x_title="epoch, training accuracy"
    )
    return f'{drawn}<p class="note">{times}</p>'
