"""Temperatures of a phase."""

import pytest

from bitfold.search.csq.schedule import END, Schedule


def test_temperature_grows_from_one_to_its_end_at_t_and_on_by_the_same_law() -> None:
    """The authors' older recipe: 300 epochs, T = 250, 200 ** (299 / 250) = 565 in the last one."""
    schedule = Schedule.of(300, 250 / 300, 200.0)
    assert schedule.temperature(0) == 1
    assert schedule.temperature(125) == pytest.approx(200**0.5)
    assert schedule.temperature(250) == pytest.approx(200)
    assert schedule.temperature(299) == pytest.approx(565, abs=0.5)


def test_without_a_given_end_masks_end_as_the_authors_do_and_the_rest_is_hotter() -> None:
    schedule = Schedule.of(2_500, 0.8, None)
    assert schedule.temperature(1_000) == pytest.approx(200**0.5)
    assert schedule.temperature(2_000) == pytest.approx(200)
    assert schedule.temperature(2_250) == pytest.approx((200 * 3e4) ** 0.5)
    assert schedule.temperature(2_500) == pytest.approx(3e4)
    assert Schedule.of(10, 1.0, None).temperature(9) < 200


def test_the_share_of_the_soft_steps_ends_at_one() -> None:
    schedule = Schedule.of(300, 250 / 300, None)
    assert [schedule.share(step) for step in (0, 125, 250, 299)] == [0, 0.5, 1, 1]


def test_masks_are_frozen_from_t_on() -> None:
    schedule = Schedule.of(300, 250 / 300, None)
    assert [schedule.frozen(step) for step in (0, 249, 250, 299)] == [False, False, True, True]
    assert not Schedule.of(300, 1.0, None).frozen(299)


def test_the_last_gates_are_decided_in_the_last_twentieth_while_masks_are_frozen() -> None:
    schedule = Schedule.of(400, 0.5, None)
    closing = [schedule.closing(step) for step in range(400)]
    assert closing[379:] == pytest.approx([left / 20 for left in range(21)])
    assert not any(closing[:380])
    late = Schedule.of(400, 0.99, None)
    assert [late.closing(step) for step in (395, 396, 398, 399)] == [0, 0.25, 0.75, 1]
    assert Schedule.of(3, 0.5, None).closing(2) == 1


def test_no_gate_is_decided_at_the_authors_end_or_while_masks_are_soft() -> None:
    for schedule in (Schedule.of(100, 0.5, 200.0), Schedule.of(100, 1.0, None)):
        assert not any(schedule.closing(step) for step in range(100))


def test_a_phase_of_one_step_has_a_schedule() -> None:
    schedule = Schedule.of(1, 0.2, None)
    assert (schedule.temperature(0), schedule.frozen(0)) == (1, False)


def test_the_end_does_not_depend_on_the_number_of_steps() -> None:
    assert {Schedule.of(steps, 0.5, None).end for steps in (1, 95, 7_600, 10**6)} == {END}
    assert Schedule.of(2_500, 0.5, 7.0).end == 7
