"""What a run folder holds, read as it lies there; what is missing is None, and is shown as such."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from bitfold.errors import ArtefactError, BitfoldError
from bitfold.files import digest, read_json

Json = Mapping[str, Any]
SCHEMA = 1


@final
@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The artefacts of a run as plain JSON values.

    predicted: target -> the cost model's figures of this design on that target.
    timings:   (step, seconds) as the demo took them; wall_seconds is less where steps overlapped.
    warnings:  artefacts that do not belong together.
    inputs:    file -> SHA-256 of what all this was made from.
    """

    folder: Path
    metrics: Json | None = None
    policy: Json | None = None
    modes: Json | None = None
    explore: Json | None = None
    finn: Json | None = None
    manifest: Json | None = None
    verify: Json | None = None
    synth: Mapping[str, Json] = field(default_factory=dict)
    bitstream: Json | None = None
    timings: tuple[tuple[str, float], ...] = ()
    wall_seconds: float | None = None
    predicted: Mapping[str, Json] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name


def read_run_folder(folder: Path) -> RunFolder:
    """Read what `bitfold search`, `compile`, `verify`, `synth` and `bitstream` left in `folder`.

    Raises: ArtefactError for a damaged file, and when there is nothing at all.
    """
    design = folder / "design"
    synth = {
        path.stem.removeprefix("synth-"): read_json(path, "synth", SCHEMA)
        for path in sorted(design.glob("synth-*.json"))
    }
    timings = _optional(folder / "timings.json", "timings")
    run = RunFolder(
        folder=folder,
        metrics=_optional(folder / "metrics.json", "metrics"),
        policy=_optional(folder / "policy.json", "policy"),
        modes=_searched_modes(folder / "modes.json"),
        explore=_optional(folder / "explore" / "explore.json", "explore"),
        finn=_optional(folder / "finn.json", "finn-estimate"),
        manifest=_optional(design / "manifest.json", "design"),
        verify=_optional(design / "verify.json", "verify"),
        synth=synth,
        bitstream=_optional(design / "bitstream" / "bitstream.json", "bitstream"),
        timings=_steps(folder / "timings.json", timings),
        wall_seconds=timings.get("wall_seconds") if timings else None,
        predicted=_predictions(design, tuple(synth)),
        inputs=_inputs(folder),
    )
    if run.metrics is None and run.manifest is None:
        raise ArtefactError(
            f"{folder}: neither metrics.json nor design/manifest.json is here; make them with "
            "`bitfold search` or `bitfold compile`"
        )
    try:
        return replace(run, warnings=tuple(_stale(run)))
    except (KeyError, TypeError) as error:
        raise ArtefactError(
            f"{folder}: an artefact is malformed ({type(error).__name__}: {error}); make it again "
            "with this version of bitfold"
        ) from None


def _optional(path: Path, kind: str) -> Json | None:
    return read_json(path, kind, SCHEMA) if path.exists() else None


def _searched_modes(path: Path) -> Json | None:
    """What a search found of its modes; None where they were written by hand."""
    value = _optional(path, "modes")
    modes = value.get("modes") if value else None
    by_hand = isinstance(modes, list) and not any("file" in m for m in modes if isinstance(m, dict))
    return None if by_hand else value


def _steps(path: Path, timings: Json | None) -> tuple[tuple[str, float], ...]:
    try:
        return tuple(
            (str(s["step"]), float(s["seconds"])) for s in (timings or {"steps": ()})["steps"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{path}: malformed ({error}); run the demo again") from None


def _predictions(design: Path, targets: tuple[str, ...]) -> dict[str, Json]:
    """The cost model's view of the design on each synthesised target that it knows."""
    if not targets:
        return {}
    from bitfold.compiler.compile import predict
    from bitfold.compiler.design import read_design
    from bitfold.cost.luts import target_names

    read = read_design(design)
    known = [target for target in targets if target in target_names()]
    return {target: predict(read.stages, target, read.clock_mhz) for target in known}


def _inputs(folder: Path) -> dict[str, str]:
    names = ("model.onnx", "test.npz", "policy.json", "metrics.json", "design/manifest.json")
    return {name: digest(folder / name) for name in names if (folder / name).is_file()}


def _stale(run: RunFolder) -> list[str]:
    """Artefacts that were not made from what lies beside them."""
    found = []
    model = run.inputs.get("model.onnx")
    if run.manifest and model and run.manifest["model"]["sha256"] != model:
        found.append("design: compiled from another model.onnx than the one here")
    if run.explore and model and run.explore["model"]["sha256"] != model:
        found.append("explore.json: of another model.onnx than the one here")
    if run.finn and model and run.finn["model"]["sha256"] != model:
        found.append("finn.json: of another model.onnx than the one here")
    if run.modes and model and run.modes["files"]["model.onnx"] != model:
        found.append("modes.json: of another model.onnx than the one here")
    manifest = run.inputs.get("design/manifest.json")
    if run.verify and run.verify.get("design") != manifest:
        found.append("verify.json: of another design than the one here")
    if run.manifest and (run.synth or run.bitstream):
        found += _stale_hardware(run)
    return found


def _stale_hardware(run: RunFolder) -> list[str]:
    from bitfold.compiler.design import read_design
    from bitfold.synth.source import design_id, design_source, source_digest

    try:
        design = read_design(run.folder / "design")
        source = source_digest(design_source(design))
    except BitfoldError as error:
        return [f"design: cannot be compared with its figures ({error})"]
    found = [
        f"synth-{target}.json: of another design than the one here"
        for target, value in run.synth.items()
        if value["design"] != source
    ]
    if run.bitstream and run.bitstream["design_id"] != f"{design_id(design):016x}":
        found.append("bitstream.json: of another design than the one here")
    return found
