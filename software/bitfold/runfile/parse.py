"""TOML read into the frozen models. An unknown key is an error with a suggestion."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from bitfold.errors import ConfigError
from bitfold.runfile.run import CHOICES, SECTIONS, RunFile
from bitfold.runfile.section import Section


def read_run(path: Path, environ: Mapping[str, str] | None = None) -> RunFile:
    """Read a run file; `environ` (default: the process's) supplies BITFOLD_DATA.

    Relative [data] root and [model] weights are taken from the run file's folder. Raises:
    ConfigError.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; expected a run file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a readable TOML file ({error})") from None
    run = parse_run(value, str(path))
    fallback = (os.environ if environ is None else environ).get("BITFOLD_DATA")
    root = path.parent / run.data.root if run.data.root is not None else None
    if root is None and fallback:
        root = Path(fallback)
    weights = path.parent / run.model.weights if run.model.weights is not None else None
    placed = {
        "data": run.data.model_copy(update={"root": root}),
        "model": run.model.model_copy(update={"weights": weights}),
    }
    return run.model_copy(update=placed)


def parse_run(value: Mapping[str, Any], where: str = "run file") -> RunFile:
    """Check a parsed run file; `where` names it in messages. Raises: ConfigError."""
    for name in value:
        if name not in RunFile.model_fields:
            raise ConfigError(f"{where}: unknown section [{name}]; {_near(name, RunFile)}")
    made: dict[str, Section] = {}
    for name, field in RunFile.model_fields.items():
        if name in value:
            made[name] = _parse_section(name, value[name], where)
        elif field.is_required():
            raise ConfigError(f"{where}: section [{name}] is missing: {field.description}")
    run = RunFile.model_construct(**{**_defaults(), **made})
    if run.train.float_epochs == 0 and run.model.weights is None:
        raise ConfigError(
            f"{where}: [train] float_epochs 0 leaves the network untrained; give [model] weights"
        )
    return run


def _defaults() -> dict[str, Any]:
    fields = RunFile.model_fields.items()
    return {name: field.default for name, field in fields if not field.is_required()}


def _parse_section(name: str, value: Any, where: str) -> Section:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: {name} must be a section [{name}], got {value!r}")
    if name in CHOICES:
        key, kinds = CHOICES[name]
        if not isinstance(value.get(key), str) or value[key] not in kinds:
            came = f"got {value[key]!r}" if key in value else "it is missing"
            raise ConfigError(f"{where}: [{name}] {key} must be one of {', '.join(kinds)}; {came}")
        kind = kinds[value[key]]
    else:
        kind = SECTIONS[name]
    try:
        # As JSON, because strict checking of Python values would want tuples and Paths.
        return kind.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise ConfigError(f"{where}: [{name}] {_explain(error, kind)}") from None


def _explain(error: ValidationError, kind: type[Section]) -> str:
    first = error.errors()[0]
    place, where = list(first["loc"]), ""
    while len(place) > 1 and (inner := _item(kind, str(place[0]))) is not None:
        where += f"{place[0]}[{place[1]}] "
        kind, place = inner, place[2:]
    key = str(place[0]) if place else ""
    if first["type"] == "extra_forbidden":
        return f"{where}unknown key {key!r}; {_near(key, kind)}"
    if first["type"] == "missing":
        return f"{where}key {key!r} is missing: {kind.model_fields[key].description}"
    rule = first["msg"].removeprefix("Value error, ")
    if not key:
        return where + rule
    rule = rule.removeprefix("Input ")
    return f"{where}{key} {rule}, got {first['input']!r} ({kind.model_fields[key].description})"


def _item(kind: type[Section], key: str) -> type[Section] | None:
    """What the list `key` holds, where that is sections."""
    field = kind.model_fields.get(key)
    items = [each for each in get_args(field.annotation) if isinstance(each, type)] if field else []
    return next((each for each in items if issubclass(each, Section)), None)


def _near(key: str, kind: type[Section]) -> str:
    near = difflib.get_close_matches(key, kind.model_fields, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kind.model_fields)}"
