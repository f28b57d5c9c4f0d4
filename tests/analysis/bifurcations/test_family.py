"""Claims about families: derivatives, ranges with a meaning, and what stays conserved."""

import numpy as np
import pytest

from eigendyn.analysis.bifurcations.family import family, meaningful, vanished_modes
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import InvalidSetting, UnknownName

SQUARE = (np.zeros(2), np.full(2, 1.4))


@pytest.fixture(scope="module")
def learned():
    return dynamical_system("euclidean", 1, predictor="learned", sigma1=0.3)


def test_derivatives_are_those_of_finite_differences(learned):
    member = family(learned, ("weight_decay", "predictor_decay"), (0, 0.4), SQUARE, {})
    x, value, step = np.array([0.7, 0.4]), 0.1, 1e-6
    _, by_x, by_value = member.linearise(x, value)

    def rates(x, value):
        return np.asarray(learned(x, weight_decay=value, predictor_decay=value))

    columns = [(rates(x + d, value) - rates(x - d, value)) / (2 * step) for d in step * np.eye(2)]
    np.testing.assert_allclose(by_x, np.transpose(columns), atol=1e-8)
    expected = (rates(x, value + step) - rates(x, value - step)) / (2 * step)
    np.testing.assert_allclose(by_value, expected, atol=1e-8)


def test_what_decay_breaks_is_not_kept_though_it_stays_where_s_is_p(learned):
    assert len(family(learned, "sigma1", (0, 1), SQUARE, {}).levels) == 1
    both = ("weight_decay", "predictor_decay")
    assert family(learned, both, (0, 0.4), SQUARE, {}).levels == {}  # s² − p² = 0 stays zero
    assert family(learned, "sigma1", (0, 1), SQUARE, {"weight_decay": 0.1}).levels == {}


def test_a_range_is_cut_to_what_has_a_meaning():
    low, high, reasons = meaningful(("weight_decay",), (-0.3, 0.4))
    assert 0 <= low < 1e-15
    assert high == 0.4
    assert reasons == ("left the domain, weight_decay ≥ 0", "parameter range ended")
    low, high, reasons = meaningful(("ema",), (0.5, 1.5))
    assert 1 - 1e-12 < high < 1
    assert reasons[1] == "left the domain, ema at least 0 and below 1"
    assert meaningful(("gamma",), (-1, 1))[2] == ("parameter range ended",) * 2


@pytest.mark.parametrize(
    ("driven", "between", "says"),
    [
        (("weight_decay",), (0.4, 0.4), "two finite numbers, the lower one first, not 0.4, 0.4"),
        (("weight_decay",), (0.4, 0.1), "lower one first"),
        (("weight_decay",), (0, np.inf), "finite"),
        (("weight_decay",), (0.4,), "two finite numbers"),
        (("weight_decay",), (-2, -1), "must hold values that are ≥ 0, and -2, -1 does not"),
    ],
)
def test_a_range_without_a_meaning_is_refused(driven, between, says):
    with pytest.raises(InvalidSetting, match=says):
        meaningful(driven, between)


def test_a_parameter_that_the_system_lacks_is_refused_with_those_it_has(learned):
    with pytest.raises(UnknownName, match="Known: predictor_decay, predictor_rate, sigma1, weight"):
        family(learned, "weight_dekay", (0, 1), SQUARE, {})


def test_a_mode_has_vanished_if_all_that_change_their_sign_have():
    names = ("singular_value_0", "singular_value_1", "velocity_0", "velocity_1")
    assert list(vanished_modes(names, np.array([0.0, 1, 0, 0]))) == ["0"]
    assert vanished_modes(("x", "y"), np.zeros(2)) == {}
