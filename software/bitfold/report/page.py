"""report.html: the page of a run."""

from bitfold.errors import ArtefactError
from bitfold.report import explored, finn, modes, sections
from bitfold.report.folder import RunFolder
from bitfold.report.frame import frame
from bitfold.report.sections import section
from bitfold.report.text import esc, number, percent, ratio, short


def render(run: RunFolder) -> str:
    """The page of a run. Raises: ArtefactError when a file lacks what its schema promises."""
    try:
        return _page(run)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ArtefactError(
            f"{run.folder}: an artefact is malformed ({type(error).__name__}: {error}); make it "
            "again with this version of bitfold"
        ) from error


def _page(run: RunFolder) -> str:
    folder = run.folder.as_posix()
    design = f"{folder}/design"
    parts = [
        section(
            "Bits of each layer",
            sections.layer_bits(run),
            "search RUN.toml",
            note="One box a bit-plane; the accelerator spends cycles on filled boxes only.",
        ),
        section("Accuracy", sections.accuracy(run), "search RUN.toml"),
        section("What it costs", sections.price(run), "search RUN.toml"),
        section("Wall time", sections.times(run), "search RUN.toml"),
        *_modes(run),
        section(
            "LUTs, predicted and synthesised",
            sections.area(run),
            f"synth {design} --target ecp5",
            wide=True,
            note="The prediction is the fitted cost model's, made before synthesis.",
        ),
        section(
            "Where time and area go",
            sections.stages(run),
            f"compile {folder}/model.onnx",
            wide=True,
            note="The slowest stage sets the interval between frames. Lanes used: BitOps over "
            "lanes times cycles.",
        ),
        section(
            "Cycles, predicted and measured",
            sections.cycles(run),
            f"verify {design}",
            wide=True,
            note=_proof(run),
        ),
        section(
            "Area against rate",
            explored.explored(run),
            f"explore {folder}/model.onnx",
            wide=True,
            note=explored.NOTE,
        ),
        *_finn(run),
        section("Training", sections.curves(run), "search RUN.toml", wide=True),
        section("Made with, made from", sections.provenance(run), "", wide=True),
    ]
    warnings = "".join(f'<p class="warning">{esc(text)}</p>' for text in run.warnings)
    return frame(
        run.name,
        _subtitle(run),
        f'{warnings}<div class="tiles">{_tiles(run)}</div>',
        f'<div class="page">{"".join(parts)}</div>',
    )


def _finn(run: RunFolder) -> tuple[str, ...]:
    """The other flow's figures, where somebody asked for them."""
    body = finn.finn(run)
    if body is None:
        return ()
    return (
        section("FINN's estimates beside bitfold's", body, "estimate", wide=True, note=finn.NOTE),
    )


def _modes(run: RunFolder) -> list[str]:
    """Only methods whose bits depend on the input leave modes."""
    body = modes.modes(run)
    return (
        [] if body is None else [section("Precision modes", body, "", wide=True, note=modes.NOTE)]
    )


def _subtitle(run: RunFolder) -> str:
    said = []
    if run.metrics:
        metrics = run.metrics
        said.append(
            f"{esc(metrics['model']['name'])} on {esc(metrics['data'])}, bits by "
            f"{esc(metrics['method']['method'])}, seed {esc(metrics['seed'])}"
        )
    if run.manifest:
        design = run.manifest
        said.append(
            f"compiled for {esc(design['target'])} at {design['clock_mhz']:g} MHz by bitfold "
            f"{esc(design['bitfold'])}"
        )
    return "; ".join(said)


def _tile(title: str, value: str, note: str, kind: str = "") -> str:
    shown = f'<strong class="{kind}">{value}</strong>' if kind else f"<strong>{value}</strong>"
    return f'<div class="tile"><small>{esc(title)}</small>{shown}<em>{note}</em></div>'


def _tiles(run: RunFolder) -> str:
    tiles = []
    if run.metrics:
        found = run.metrics["accuracy"]
        note = f"float {percent(found['float']['test'])}"
        tiles.append(_tile("Test accuracy", percent(found["searched"]["test"]), note))
        bitops, size = run.metrics["bitops"], run.metrics["size_bits"]
        note = f"{ratio(bitops['searched'], bitops['uniform8'])} than 8-bit"
        tiles.append(_tile("BitOps a frame", short(bitops["searched"]), note))
        note = f"{ratio(size['searched'], size['float'])} than float"
        tiles.append(_tile("Weights", f"{short(size['searched'] / 8)}B", note))
    if run.verify:
        wrong, exact = run.verify["mismatches"], run.verify["exact"] is True
        note = f"differ, of {number(run.verify['outputs'])} simulated"
        kind = "bad" if wrong else "good"
        tiles.append(_tile("Output integers", number(wrong), note, kind))
        note = "predicted and measured" if exact else "see below"
        tiles.append(
            _tile("Cycle model", "exact" if exact else "off", note, "good" if exact else "bad")
        )
    if run.manifest:
        fps, clock = run.manifest["predicted"]["fps"], run.manifest["clock_mhz"]
        tiles.append(_tile("Frames a second", short(fps), f"at {clock:g} MHz"))
    for target, found in run.synth.items():
        fmax = f", {found['fmax_mhz']:.0f} MHz possible" if found["fmax_mhz"] else ""
        tiles.append(
            _tile(f"LUTs on {target}", number(found["totals"]["luts"]), f"synthesised{fmax}")
        )
    if run.bitstream:
        made = run.bitstream
        note = f"{esc(made['part'])}, {made['clock_mhz']:g} of {made['fmax_mhz']:.1f} MHz"
        tiles.append(_tile(f"Bitstream {made['board']}", f"{short(made['size_bytes'])}B", note))
    return "".join(tiles)


def _proof(run: RunFolder) -> str:
    if run.verify is None:
        return ""
    found = run.verify
    return (
        f"{number(found['frames'])} frames at full rate and {number(found['protocol_frames'])} "
        f"twice through AXI4-Stream, without and with random stalls: {number(found['outputs'])} "
        f"integers, {number(found['mismatches'])} differ from the golden model. "
        f"{number(found['simulated_cycles'])} cycles at {short(found['cycles_per_second'])} "
        "cycles a second. Counted from the first input beat of a frame."
    )
