"""Accuracy against the radius: laws, and a count by hand at every radius."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmip import Attack, InputError, accuracy_curve, load_dataset, load_network, minimal_attack
from advmip.checking.replay import Precision
from advmip.mip.solvers import Status

ATTACK = Attack(
    Status.FEASIBLE, 0.0, 0.0, None, Precision.NONE, None, 0, 0.0, 0.0, {}, 0, "", "", ()
)
# A few numbers that repeat, and any others.
distances = st.sampled_from([0.125, 0.25, 0.5, np.inf]) | st.floats(1e-9, 10.0)
shares = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0.0, 1.0)


@st.composite
def attacks(draw: st.DrawFn) -> Attack | None:
    if draw(st.booleans()) and draw(st.booleans()):
        return None
    distance, share = draw(distances), draw(shares)
    proved = share * distance if np.isfinite(distance) else 10.0 * share
    return replace(ATTACK, distance=distance, lower_bound=proved)


@given(st.lists(attacks(), min_size=1, max_size=12))
def test_the_curve_is_what_counting_gives(found: list[Attack | None]) -> None:
    curve = accuracy_curve(found)
    count, right = len(found), [attack for attack in found if attack is not None]
    between = (curve.radius[1:] + curve.radius[:-1]) / 2
    for radius in (*curve.radius, *between, curve.radius[-1] + 1.0):
        lower, upper = curve.at(float(radius))
        proved = [attack for attack in right if attack.lower_bound > radius or radius == 0]
        unattacked = [attack for attack in right if attack.distance > radius]
        assert lower == pytest.approx(100 * len(proved) / count)
        assert upper == pytest.approx(100 * len(unattacked) / count)
    assert curve.radius[0] == 0
    assert curve.lower[0] == curve.upper[0] == pytest.approx(100 * len(right) / count)
    assert (np.diff(curve.radius) > 0).all()
    for side in (curve.lower, curve.upper):
        assert (np.diff(side) <= 0).all()
    assert (curve.lower <= curve.upper).all()


@given(st.lists(distances, min_size=1, max_size=12))
def test_the_band_closes_where_distances_are_proved(found: list[float]) -> None:
    curve = accuracy_curve([replace(ATTACK, distance=each, lower_bound=each) for each in found])
    np.testing.assert_array_equal(curve.lower, curve.upper)


def test_optimal_attacks_leave_a_band_of_their_gap(digits_network: Path) -> None:
    network, test = load_network(digits_network), load_dataset("digits", "test")
    found = [
        minimal_attack(network, image, int(label))
        for image, label in zip(test.images[:4], test.labels[:4], strict=True)
    ]
    curve = accuracy_curve(found)
    open_ = np.flatnonzero(curve.lower < curve.upper)
    for step in open_:
        assert curve.radius[step + 1] <= curve.radius[step] * (1 + 2e-4)


def test_no_images_have_no_curve() -> None:
    with pytest.raises(InputError, match="no images"):
        accuracy_curve([])
