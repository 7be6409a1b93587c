"""modes.json as it is written: by a search, which lists files, or by hand, which names layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, final

from bitfold.errors import ArtefactError, ConfigError
from bitfold.files import digest, read_json

SCHEMA = 1
MOST = 256  # a mode is a byte of s_axis_tuser
EXAMPLE = '{"layers": {"Conv_1": {"w_bits": 2, "a_bits": 3}}}'


@final
@dataclass(frozen=True, kw_only=True)
class Kept:
    """Planes that a layer keeps in a mode written by hand; None: all."""

    w_bits: int | None
    a_bits: int | None


@final
@dataclass(frozen=True, kw_only=True)
class ModeFile:
    """What a modes.json says, one entry a mode: either the modes' own files, or layers."""

    files: tuple[Path, ...]
    layers: tuple[Mapping[str, Kept], ...]


def read_mode_file(path: Path, model: Path) -> ModeFile:
    """Read and check a modes.json; the layers that it names are not looked up.

    Raises: ArtefactError when it is missing, damaged or malformed, when a file that it lists is
    missing, outside its folder or another one, and when it is of another model.onnx than `model`;
    ConfigError for a number of modes that no accelerator has.
    """
    value = read_json(path, "modes", SCHEMA)
    modes = value.get("modes")
    if not isinstance(modes, list) or not all(isinstance(mode, dict) for mode in modes):
        raise _malformed(path, f'"modes" must be a list of objects such as {EXAMPLE}')
    if not 2 <= len(modes) <= MOST:
        raise ConfigError(
            f"{path}: lists {len(modes)} modes, an accelerator has 2 to {MOST}; compile "
            "model.onnx itself where there is one"
        )
    listed = ["file" in mode for mode in modes]
    if not any(listed):
        layers = tuple(_layers(path, number, mode) for number, mode in enumerate(modes))
        return ModeFile(files=(), layers=layers)
    if not all(listed):
        number = listed.index(False)
        raise _malformed(path, f"mode {number} names no file, others do; all must, or none")
    stored = value.get("files")
    stored = stored.get("model.onnx") if isinstance(stored, dict) else None
    if not model.is_file() or stored != digest(model):
        raise ArtefactError(
            f"{path}: its modes are of another model.onnx than lies beside it, or of none; run "
            "`bitfold search` again"
        )
    return ModeFile(files=tuple(_file(path, mode) for mode in modes), layers=())


def _malformed(path: Path, rule: str) -> ArtefactError:
    return ArtefactError(f"{path}: malformed: {rule}")


def _file(path: Path, mode: Mapping[str, Any]) -> Path:
    name, wanted = mode["file"], mode.get("sha256")
    if not isinstance(name, str) or not name.isprintable():
        raise _malformed(path, f'"file" must be the name of a QONNX file, got {name!r:.80}')
    file = path.parent / name
    if not file.resolve().is_relative_to(path.parent.resolve()):
        raise ArtefactError(f"{path}: {file} lies outside its folder")
    if not file.is_file() or digest(file) != wanted:
        raise ArtefactError(f"{file}: missing, or not the file that {path} lists")
    return file


def _layers(path: Path, number: int, mode: Mapping[str, Any]) -> Mapping[str, Kept]:
    """The layers of a mode written by hand."""
    _known(path, f"mode {number}", mode, ("layers",))
    layers = mode.get("layers")
    if not isinstance(layers, dict):
        raise _malformed(
            path,
            f'mode {number}: "layers" must be an object of layers, got {layers!r:.80}; '
            f"for example {EXAMPLE}",
        )
    found = {}
    for name, kept in layers.items():
        subject = f"mode {number}: layer {name!r}"
        if not isinstance(kept, dict):
            raise _malformed(
                path, f'{subject} must be an object of "w_bits" and "a_bits", got {kept!r:.80}'
            )
        _known(path, subject, kept, ("w_bits", "a_bits"))
        for key, bits in kept.items():
            if type(bits) is not int:  # True is no count either
                raise _malformed(
                    path, f'{subject}: "{key}" must be a whole number, got {bits!r:.80}'
                )
        found[name] = Kept(w_bits=kept.get("w_bits"), a_bits=kept.get("a_bits"))
    return found


def _known(path: Path, subject: str, given: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in given:
        if key not in keys:
            near = get_close_matches(key, keys, 1)
            hint = f"did you mean {near[0]!r}" if near else f"known: {', '.join(keys)}"
            raise _malformed(path, f"{subject}: unknown key {key!r:.80}; {hint}")
