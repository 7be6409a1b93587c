"""Checkpoints: whole, unchanged, of this version, network and settings, or refused."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from bitfold.errors import ArtefactError, ConfigError
from bitfold.search import checkpoint
from bitfold.search.checkpoint import Checkpoint, fitting, read

from .nets import net


def written(path: Path, **changes: object) -> Path:
    fields: dict[str, object] = {
        "identity": "id",
        "phase": "float",
        "epoch": 1,
        "seconds": 2.0,
        "model": {"w": torch.arange(3.0)},
        "optimiser": {},
        "hooks": {"t": torch.ones(2)},
    }
    Checkpoint(**{**fields, **changes}).write(path)
    return path


def signed(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return content + f"\nbitfold checkpoint {checkpoint.SCHEMA} {digest}\n".encode()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt", ema={"updates": 3, "average": {}}, history=[{"epoch": 0}])
    found = read(path, "id", "float")
    assert found is not None
    assert (found.epoch, found.seconds, found.history) == (1, 2.0, [{"epoch": 0}])
    assert found.ema == {"updates": 3, "average": {}}
    assert torch.equal(found.model["w"], torch.arange(3.0))
    assert found.bitfold == version("bitfold")
    assert torch.equal(torch.load(path, weights_only=True)["hooks"]["t"], torch.ones(2))
    assert read(tmp_path / "none.pt", "id", "float") is None


def test_a_flipped_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt")
    content = path.read_bytes()
    ends = [*range(200), *range(len(content) - 200, len(content))]
    for place in [*ends, *range(200, len(content) - 200, 13)]:
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(ArtefactError, match=r"a\.pt: .*remove it to train again"):
            read(path, "id", "float")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a checkpoint", b"x" * 4000])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pt"
    for data in (content, signed(content)):
        path.write_bytes(data)
        with pytest.raises(ArtefactError, match=r"a\.pt: damaged checkpoint.*remove it"):
            read(path, "id", "float")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ArtefactError, match="damaged checkpoint"):
        read(path, "id", "float")


def test_checkpoints_hold_no_code(tmp_path: Path) -> None:
    """A pickle that would run something on loading is refused, whatever its checksum says."""

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "a.pt"
    torch.save({"identity": Hostile()}, path)
    path.write_bytes(signed(path.read_bytes()))
    with pytest.raises(ArtefactError, match="damaged"):
        read(path, "id", "float")
    assert not (tmp_path / "ran").exists()


def test_other_settings_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt")
    for identity, phase in (("other", "float"), ("id", "search")):
        with pytest.raises(ConfigError, match="other settings than this run file's"):
            read(path, identity, phase)


def test_another_version_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt", bitfold="0.0.7")
    with pytest.raises(ArtefactError, match=r"a\.pt: written by bitfold 0\.0\.7, this is "):
        read(path, "id", "float")


def test_another_schema_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pt")
    path.write_bytes(path.read_bytes().replace(b"checkpoint 3 ", b"checkpoint 99 "))
    with pytest.raises(ArtefactError, match=r"a\.pt: checkpoint schema 99, this bitfold reads 3"):
        read(path, "id", "float")


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArtefactError, match=r"a\.pt is of another network.*remove it"),
        fitting(tmp_path / "a.pt"),
    ):
        net().load_state_dict({"w": torch.zeros(1)})
