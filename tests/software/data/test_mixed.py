"""Data sets of mixed quality."""

from pathlib import Path

import pytest
import torch

from bitfold.data import load
from bitfold.errors import ConfigError
from bitfold.runfile import parse_run
from bitfold.search import search

from ..search.nets import run_file

QUALITIES = ("clean", "gaussian_noise:3", "gaussian_blur:5")


def test_every_image_comes_in_every_quality_in_a_row() -> None:
    plain, mixed = load("digits"), load("digits", qualities=QUALITIES)
    assert mixed.qualities == QUALITIES
    for name in ("train", "validation", "test"):
        before, after = getattr(plain, name), getattr(mixed, name)
        assert len(after) == 3 * len(before)
        assert torch.bincount(after.quality).tolist() == [len(before)] * 3
        assert torch.equal(after.x[0::3], before.x)
        assert torch.equal(after.y.reshape(-1, 3), before.y[:, None].expand(-1, 3))
        assert torch.equal(after.quality[:6], torch.tensor([0, 1, 2, 0, 1, 2]))
        assert not torch.equal(after.x[1::3], before.x)


def test_a_mixed_set_is_always_the_same_and_a_quality_does_not_depend_on_the_others() -> None:
    first, second = load("digits", qualities=QUALITIES), load("digits", qualities=QUALITIES[1:])
    assert torch.equal(first.test.x[1::3], second.test.x[0::2])


def test_plain_data_have_no_labels_of_quality() -> None:
    data = load("digits")
    assert data.qualities == ()
    assert data.test.quality is None


def test_labels_of_quality_move_with_the_images() -> None:
    mixed = load("digits", qualities=QUALITIES)
    moved = mixed.to(torch.device("cpu"))
    assert moved.qualities == QUALITIES
    assert torch.equal(moved.test.quality, mixed.test.quality)


def test_run_files_name_qualities() -> None:
    run = run_file(data={"name": "digits", "qualities": ["clean", "jpeg:5"]})
    assert run.data.qualities == ("clean", "jpeg:5")
    for wrong, rule in ((["clean", "clean"], "twice"), (["jpeg:9"], "pattern")):
        with pytest.raises(ConfigError, match=rule):
            run_file(data={"name": "digits", "qualities": wrong})


def test_an_unknown_corruption_stops_before_any_training(tmp_path: Path) -> None:
    run = parse_run(run_file(data={"name": "digits", "qualities": ["fog:3"]}).model_dump())
    with pytest.raises(ConfigError, match="quality 'fog:3' is unknown"):
        search(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
