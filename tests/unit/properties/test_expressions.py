"""Conditions are written as they are read aloud, and mean what they say."""

import numpy as np
import pytest

from advmip.errors import InputError
from advmip.properties import Case, Property, all_of, any_of, feature, logit, robustness

UNIT = (np.zeros(2), np.ones(2))


def surplus(condition, inputs, outputs) -> float:
    property_ = Property.of(UNIT, condition)
    return property_.surplus(np.array(inputs, float), np.array(outputs, float))


def test_a_class_wins_by_a_margin() -> None:
    wins = logit(1) >= logit(0) + 0.5
    assert surplus(wins, [0, 0], [1, 2]) == pytest.approx(0.5)
    assert surplus(wins, [0, 0], [1, 1.2]) == pytest.approx(-0.3)


def test_numbers_may_stand_on_either_side() -> None:
    for condition in (logit(0) * 2 - 1 <= 3, logit(0) <= 2, -logit(0) >= -2, 4 - 2 * logit(0) >= 0):
        assert surplus(condition, [0, 0], [1.5]) > 0
        assert surplus(condition, [0, 0], [2.5]) < 0
        assert surplus(condition, [0, 0], [2.0]) == 0


@pytest.mark.parametrize("outputs", [(0, 0, 0), (1, 2, 0), (2, 1, 0), (0, 0, 3), (2, 2, 2)])
def test_ways_are_those_of_logic(outputs) -> None:
    first, second, third = (logit(place) >= 1 for place in range(3))
    met = [value >= 1 for value in outputs]
    for condition, truth in (
        (any_of(first, second), met[0] or met[1]),
        (all_of(first, second), met[0] and met[1]),
        (all_of(any_of(first, second), third), (met[0] or met[1]) and met[2]),
        ((first & second) | third, (met[0] and met[1]) or met[2]),
    ):
        assert (surplus(condition, [0, 0], outputs) >= 0) == truth


def test_inputs_may_take_part() -> None:
    crossed = logit(0) >= feature(1) + feature(0)
    assert surplus(crossed, [0.25, 0.5], [0.8]) == pytest.approx(0.05)


def test_outside_of_the_box_nothing_is_a_counterexample() -> None:
    assert surplus(logit(0) >= 0, [0.5, 1.5], [1]) == -np.inf


def test_no_condition_always_holds_and_no_way_never() -> None:
    assert surplus(all_of(), [0.5, 0.5], [0]) == np.inf
    with pytest.raises(InputError, match="no way"):
        Property.of(UNIT, any_of())


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda: logit(0) > 1, "strict"),
        (lambda: logit(0) < 1, "strict"),
        (lambda: logit(0) * logit(1), "a variable times a variable"),
        (lambda: 0 <= logit(0) <= 1, "chain"),
        (lambda: logit(-1), "-1"),
        (lambda: logit(0) + "1", "str"),
    ],
)
def test_what_is_no_linear_condition_is_refused(write, found) -> None:
    with pytest.raises(InputError, match=found):
        write()


@pytest.mark.parametrize(
    ("lower", "upper"), [([0, 0], [1, np.inf]), ([0, 1], [1, 0]), ([0, np.nan], [1, 1])]
)
def test_boxes_are_finite_and_hold_something(lower, upper) -> None:
    with pytest.raises(InputError, match="input 1 from"):
        Property.of((lower, upper), logit(0) >= 0)


def test_boxes_of_several_cases_have_the_same_inputs() -> None:
    cases = [Case(np.zeros(count), np.ones(count)) for count in (2, 3)]
    with pytest.raises(InputError, match="2 and 3 inputs"):
        Property(tuple(cases))


def test_a_network_of_another_size_is_refused() -> None:
    property_ = Property.of(UNIT, logit(3) >= 0)
    property_.check_sizes(2, 4)
    for sizes in ((3, 4), (2, 3)):
        with pytest.raises(InputError, match="2 inputs and outputs up to number 3"):
            property_.check_sizes(*sizes)


def test_robustness_is_a_property() -> None:
    image = np.array([[0.05, 0.5]])
    property_ = robustness(image, label=1, classes=3, epsilon=0.1)
    lower, upper = property_.cases[0].lower, property_.cases[0].upper
    assert lower == pytest.approx([0.0, 0.4])
    assert upper == pytest.approx([0.15, 0.6])
    assert property_.surplus(image.ravel(), np.array([1.0, 3.0, 2.0])) == -1.0
    # A tie is a win for the attacker.
    assert property_.surplus(image.ravel(), np.array([1.0, 3.0, 3.0])) == 0.0


def test_cases_of_one_box_stand_together() -> None:
    half = Property.of((np.zeros(2), np.full(2, 0.5)), any_of(logit(0) >= 1, logit(1) >= 1))
    unit = Property.of(UNIT, logit(0) >= 2)
    mixed = Property((half.cases[0], unit.cases[0], half.cases[1]))
    assert mixed.boxes == [half.cases, unit.cases]
