"""Writing files so that a killed run leaves either the old file or the new one, never half."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bitfold.errors import ArtefactError, ConfigError


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to a temporary name beside `path`, then rename over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        _name(error, path)
        raise


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """As `write_bytes`, indented JSON; NaN is refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path, kind: str, version: int) -> dict[str, Any]:
    """Read a JSON artefact whose `kind` and `schema` must be as given.

    Raises: ArtefactError when missing, damaged, of another kind or schema version.
    """
    try:
        value = json.loads(path.read_text("utf-8"), object_pairs_hook=_object)
    except FileNotFoundError:
        raise ArtefactError(f"{path}: not found; expected a bitfold {kind} file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: damaged {kind} file ({error}); make it again") from None
    if not isinstance(value, dict) or value.get("kind") != kind:
        raise ArtefactError(f"{path}: not a bitfold {kind} file")
    if value.get("schema") != version:
        raise ArtefactError(
            f"{path}: {kind} schema {value.get('schema')!r}, this bitfold reads {version}; "
            "make it again with this version"
        )
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises: ValueError where a name stands twice, of which one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r:.80} stands twice in one object")
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_replaceable(path: Path, *marks: str) -> None:
    """Raise ConfigError where a folder with somebody's files would be replaced whole.

    marks: names of files, one of which every folder of the kind holds: an earlier one is replaced.
    """
    if not path.exists():
        return
    there = sorted(each.name for each in path.iterdir()) if path.is_dir() else [path.name]
    if there and not any((path / mark).is_file() for mark in marks):
        more = " and more" if len(there) > 3 else ""
        raise ConfigError(
            f"{path}: would be replaced whole, but holds {', '.join(there[:3])}{more}, and no "
            f"{' or '.join(marks)}; name a folder that is new or empty"
        )


@contextmanager
def new_folder(path: Path, *marks: str) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that replaces `path` only if the block succeeds.

    marks: as `check_replaceable` has them, which is asked first.
    """
    check_replaceable(path, *marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
            path.rename(old / "old")
            temporary.rename(path)
            shutil.rmtree(old)
        else:
            temporary.rename(path)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        _name(error, path)
        raise


def _name(error: BaseException, path: Path) -> None:
    """A write that finds the disk full does not say where."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(path)
