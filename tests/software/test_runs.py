"""The run files that come with the repository."""

from pathlib import Path

import pytest

from bitfold.runfile import read_run

RUNS = sorted((Path(__file__).parents[2] / "runs").glob("*.toml"))


def test_there_are_run_files() -> None:
    assert len(RUNS) > 5


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_run_file_is_read(path: Path) -> None:
    run = read_run(path, {})
    assert run.budget.value or run.budget.like_uniform


def test_runs_on_the_digits_differ_in_method_and_budget_alone() -> None:
    """So that their results can be compared; the comparison with 8 bits is the demo's."""
    demo = read_run(RUNS[0].parent / "digits.toml", {})
    for path in RUNS:
        if path.stem in ("digits_uniform4", "digits_random", "digits_greedy", "digits_reversed"):
            run = read_run(path, {})
            assert run.model == demo.model
            assert run.train.model_copy(update={"compare_epochs": 10}) == demo.train
            assert run.search.first_last == demo.search.first_last
            assert run.search.bits == demo.search.bits
