"""Claims about starts along the components of measured data."""

import numpy as np
import pytest

import eigendyn
from eigendyn.errors import InvalidSetting, InvalidSpectrum


@pytest.fixture(scope="module")
def digits():
    return eigendyn.data.digits()


def test_modes_are_the_leading_components_with_their_signal_and_noise(digits):
    found = eigendyn.data.start(digits, 4, scale=0.5)
    np.testing.assert_allclose(found["variances"], 0.25 * digits["signal"][:4])
    for name in ("signal", "noise1", "noise2"):
        np.testing.assert_array_equal(found[name], digits[name][:4])
    assert len(eigendyn.data.start(digits)["signal"]) == 10


def test_weights_start_each_mode_with_their_length_along_its_component(digits):
    components = digits["components"].values
    weights = np.diag([0.2, 0.4, 0.1]) @ components[[1, 0, 2]]
    found = eigendyn.data.start(digits, weights=weights)
    expected = np.array([0.4, 0.2, 0.1]) ** 2 * digits["signal"].values[:3]
    np.testing.assert_allclose(found["variances"], expected)


def test_a_run_along_data_is_one_with_the_same_numbers_by_hand(digits):
    start = eigendyn.data.start(digits, 3)
    run = eigendyn.simulate("euclidean", **start, steps=100)
    np.testing.assert_allclose(run["singular_value"][:, 0], 0.3)
    for name in ("signal", "noise1", "noise2"):
        np.testing.assert_array_equal(run.coords[name], digits[name][:3])


def test_views_that_vary_less_than_they_share_have_no_mode():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 3)) * [2.0, 1.0, 0.5]
    with pytest.raises(InvalidSetting, match="noise1 of component 0 is -"):
        eigendyn.data.start(eigendyn.data.from_views(0.5 * x, x))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"modes": 64}, InvalidSetting, "at most 49"),
        ({"modes": 0}, InvalidSetting, "whole number"),
        ({"scale": 0.0}, InvalidSetting, "`scale` must be finite and > 0"),
        ({"weights": np.ones((2, 3))}, InvalidSpectrum, "for the 64 inputs of the data"),
    ],
)
def test_starts_without_meaning_are_refused(digits, given, error, said):
    with pytest.raises(error, match=said):
        eigendyn.data.start(digits, **given)


def test_what_was_not_measured_is_no_data():
    with pytest.raises(InvalidSetting, match=r"eigendyn\.data\.from_inputs"):
        eigendyn.data.start(eigendyn.simulate("euclidean", steps=10))
