"""A folder is replaced whole, and only where it is one of ours."""

import errno
import os
from pathlib import Path

import pytest

from bitfold.errors import ConfigError
from bitfold.files import new_folder, write_bytes


def test_an_earlier_folder_of_the_kind_is_replaced_whole(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with new_folder(tmp_path / "made", "a.json", "b.json") as folder:
            (folder / "b.json").write_text(text)
            (folder / text).touch()
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["b.json", "new"]
    assert list(tmp_path.iterdir()) == [tmp_path / "made"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with new_folder(tmp_path / "made", "a.json") as folder:
        (folder / "a.json").touch()
    assert (tmp_path / "made/a.json").is_file()


@pytest.mark.parametrize("name", ["thesis.tex", "sub/a.json"])
def test_a_folder_with_files_of_others_stays(name: str, tmp_path: Path) -> None:
    theirs = tmp_path / "mine" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years")
    words = rf"mine: would be replaced whole, but holds {name[:3]}.*no a\.json or b\.json; name a"
    with pytest.raises(ConfigError, match=words), new_folder(tmp_path / "mine", "a.json", "b.json"):
        pytest.fail("it is not asked for anything")
    assert theirs.read_text() == "years"
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_a_file_is_no_folder_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("years")
    with pytest.raises(ConfigError, match="holds mine"), new_folder(tmp_path / "mine", "mine"):
        pytest.fail("it is not asked for anything")
    assert (tmp_path / "mine").read_text() == "years"


def test_a_full_disk_is_named_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_bytes(tmp_path / "a", b"")
    assert raised.value.filename == str(tmp_path / "a")
    with pytest.raises(OSError, match="No space left") as raised, new_folder(tmp_path / "b"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert raised.value.filename == str(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
