"""Claims about the Wright omega function and the principal branch near its end."""

import mpmath as mp
import numpy as np
import pytest
from scipy.special import wrightomega

from eigendyn.simulation.engines.closed_form.wright import depletion, depletion_time, wright_omega

ARGUMENTS = np.concatenate(
    [-np.geomspace(1e-8, 700, 300), np.geomspace(1e-8, 1e300, 300), np.linspace(-45, 20, 500)]
)
TIMES = np.concatenate([np.geomspace(1e-300, 60, 200), np.linspace(0.01, 40, 200)])
PRECISIONS = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def _omega(x):
    """ω(x) to 40 digits, by Newton's method on ω + ln ω = x."""
    with mp.workdps(40):
        x = mp.mpf(float(x))
        omega = x - mp.log(x) if x > 3 else mp.lambertw(mp.exp(x)).real
        for _ in range(8):
            omega -= (omega + mp.log(omega) - x) * omega / (1 + omega)
        return omega


def _depletion(y):
    """p(y) by mpmath's Lambert function, with digits to spare for 1 + W₀(−e^{−1−y})."""
    with mp.workdps(340):
        return 1 + mp.lambertw(-mp.exp(-1 - mp.mpf(float(y))))


def _relative_errors(values, references):
    """Relative errors in units of round-off."""
    with mp.workdps(40):
        pairs = zip(values, references, strict=True)
        errors = [float(abs(mp.mpf(float(value)) / exact - 1)) for value, exact in pairs]
    return np.array(errors) / np.finfo(values.dtype).eps


@PRECISIONS
def test_omega_is_accurate_to_two_round_offs(dtype):
    info = np.finfo(dtype)
    x = np.clip(ARGUMENTS, np.log(info.tiny) + 1, float(info.max) / 2).astype(dtype)
    values = wright_omega(x)
    assert values.dtype == dtype
    assert _relative_errors(values, [_omega(one) for one in x]).max() < 2


def test_omega_agrees_with_scipy():
    accurate = ARGUMENTS[ARGUMENTS > -2]  # below, scipy itself is off by up to 17 round-offs
    np.testing.assert_allclose(wright_omega(accurate), wrightomega(accurate), rtol=4 * 2.3e-16)
    np.testing.assert_allclose(wright_omega(ARGUMENTS), wrightomega(ARGUMENTS), rtol=5e-15)


def test_omega_underflows_like_an_exponential_and_keeps_infinity():
    x = np.array([-np.inf, -1e300, -1e6, 1.7e308, np.inf, np.nan])
    np.testing.assert_array_equal(wright_omega(x), [0, 0, 0, 1.7e308, np.inf, np.nan])


@PRECISIONS
def test_depletion_is_accurate_to_two_round_offs_even_where_the_lambert_function_cancels(dtype):
    y = TIMES[float(np.finfo(dtype).tiny) < TIMES].astype(dtype)
    values = depletion(y)
    assert values.dtype == dtype
    assert _relative_errors(values, [_depletion(one) for one in y]).max() < 2


@PRECISIONS
def test_depletion_time_inverts_depletion(dtype):
    p = np.concatenate([np.geomspace(1e-15, 0.1, 100), np.linspace(0.1, 0.99, 100)]).astype(dtype)
    times = depletion_time(p)
    with mp.workdps(60):
        exact = [-mp.mpf(float(one)) - mp.log(1 - mp.mpf(float(one))) for one in p]
    assert _relative_errors(times, exact).max() < 2
    np.testing.assert_allclose(depletion(times), p, rtol=4 * np.finfo(dtype).eps)


def test_depletion_starts_at_zero_and_ends_at_one():
    np.testing.assert_array_equal(depletion(np.array([0.0, 1e300, np.inf])), [0, 1, 1])
    np.testing.assert_array_equal(depletion_time(np.array([0.0, 1.0])), [0, np.inf])


def test_both_take_arrays_of_any_shape():
    x = np.linspace(0.1, 5, 12)
    for function in (wright_omega, depletion):
        np.testing.assert_array_equal(function(x.reshape(3, 4)).ravel(), function(x))
        assert function(2.5) == function(np.array([2.5]))[0]
