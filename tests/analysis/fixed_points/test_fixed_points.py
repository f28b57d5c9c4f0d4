"""Claims about fixed points: closed forms, finite differences, and continua."""

import jax
import numpy as np
import pytest
import sympy as sp
from hand_written import HandWritten, hopf
from structures import first_of

from eigendyn.analysis.design import design_loss
from eigendyn.analysis.fixed_points.fixed_points import find_fixed_points, fixed_points
from eigendyn.analysis.fixed_points.linearisation import judge
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.theory.loss_text import parse_loss

WINDOW = ([0.0, 0.0], [1.4, 1.4])


@pytest.fixture(scope="module")
def cosine():
    return dynamical_system("cosine", sigma2=0.0)


@pytest.fixture(scope="module")
def cosine_points(cosine):
    return fixed_points(cosine, *WINDOW, starts=128)


def points_at(found, *x):
    return [point for point in found if np.allclose(point.x, x, atol=1e-9)]


@pytest.mark.parametrize("sigma1", [0.0, 0.5])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("loss", ["euclidean", "iso-euclidean"])
def test_decoupled_modes_rest_where_sympy_says_with_its_eigenvalues(loss, decay, sigma1):
    s = sp.symbols("s", nonnegative=True)
    lam, c = s**2, 1 + sp.Rational(sigma1) ** 2
    drive = lam - c * lam**2 if loss == "euclidean" else 1 - c * lam
    rate = s * (drive - sp.Rational(str(decay)))
    roots = sorted(float(root) for root in sp.solve(rate, s))
    slopes = [float(sp.diff(rate, s).subs(s, root)) for root in sp.solve(rate, s)]
    expected = sorted(zip(map(float, sp.solve(rate, s)), slopes, strict=True))

    system = dynamical_system(loss, 2)
    found = fixed_points(system, *WINDOW, starts=256, sigma1=sigma1, weight_decay=decay)

    assert len(found) == len(roots) ** 2
    for (first, slope1), (second, slope2) in [(a, b) for a in expected for b in expected]:
        (point,) = points_at(found, first, second)
        np.testing.assert_allclose(point.x, [first, second], atol=1e-12)
        np.testing.assert_allclose(point.eigenvalues, sorted([slope1, slope2])[::-1], atol=1e-9)
        assert point.zero_modes == (abs(slope1) < 1e-12) + (abs(slope2) < 1e-12)
        assert point.explained == 0


def test_stability_is_that_of_the_signs_of_the_eigenvalues():
    system = dynamical_system("euclidean", 2, weight_decay=0.1)
    low, high = np.sqrt((1 + np.array([-1, 1]) * np.sqrt(0.6)) / 2)
    found = fixed_points(system, *WINDOW)
    for x, stability in [
        ((0, 0), "stable"),
        ((low, low), "unstable"),
        ((low, 0), "saddle"),
        ((low, high), "saddle"),
        ((0, high), "stable"),
        ((high, high), "stable"),
    ]:
        assert [point.stability for point in points_at(found, *x)] == [stability]


@pytest.mark.full
def test_cosines_line_of_equal_eigenvalues_is_one_fixed_point(cosine_points):
    on_the_line = [point for point in cosine_points if np.isclose(*point.x)]
    (line,) = on_the_line
    np.testing.assert_allclose(line.x, [0.7, 0.7], atol=1e-9)  # the middle of the window
    assert (line.zero_modes, line.explained, line.stability) == (1, 1, "stable")
    assert len(line.continuum) > 30
    np.testing.assert_allclose(line.continuum[..., 0], line.continuum[..., 1], atol=1e-9)
    assert np.ptp(line.continuum[..., 0]) > 1


@pytest.mark.full
def test_the_rate_towards_cosines_line_is_its_closed_form(cosine_points):
    line = next(point for point in cosine_points if np.isclose(*point.x))
    np.testing.assert_allclose(line.eigenvalues[1].real, -2 / (4 * 0.49), rtol=1e-7)
    np.testing.assert_allclose(line.time_scales, [np.inf, 4 * 0.49 / 2], rtol=1e-7)


@pytest.mark.full
def test_what_conservation_does_not_explain_is_not_counted(cosine_points):
    face = next(point for point in cosine_points if point.x[0] == 0)
    assert (face.zero_modes, face.explained) == (2, 1)
    assert face.stability == "unstable"  # the vanished mode grows as the square of its variance


def test_a_growth_rate_without_a_limit_is_infinite():
    system = dynamical_system("iso-cosine", sigma2=0.0)
    point = judge(system, [0.0, 1.0])
    assert point.eigenvalues[0].real == np.inf
    assert (point.stability, point.zero_modes, point.explained) == ("unstable", 1, 1)
    assert point.time_scales[0] == 0


@pytest.mark.parametrize("decay", first_of(0.1, 0.2))
def test_a_learned_predictor_rests_where_tian_says(decay):
    system = dynamical_system("euclidean", 1, predictor="learned")
    decays = {"weight_decay": decay, "predictor_decay": decay}
    found = fixed_points(system, [0, 0], [1.5, 1.5], **decays)
    predictors = (1 + np.array([-1, 1]) * np.sqrt(1 - 4 * decay)) / 2
    (dead,), (saddle,), (alive,) = (points_at(found, p, p) for p in (0, *predictors))
    assert [p.stability for p in (dead, saddle, alive)] == ["stable", "saddle", "stable"]
    assert len(found) == 3


def test_without_decay_a_learned_predictor_rests_on_lines():
    system = dynamical_system("euclidean", 1, predictor="learned")
    found = fixed_points(system, [0, 0], [1.5, 1.5])
    assert all((p.zero_modes, p.explained) == (1, 1) for p in found)
    (learned,) = [p for p in found if p.x[0] > 0]
    np.testing.assert_allclose(learned.continuum[..., 1], 1, atol=1e-9)
    growing = [p for p in found if p.stability == "unstable"]
    assert [p.x[0] for p in growing] == [0] and 0 < growing[0].x[1] < 1  # p(1 − p) > 0


def test_an_ema_target_slows_the_approach_as_its_jacobian_says():
    system = dynamical_system("euclidean", 1, target="ema", ema=0.98, learning_rate=0.1)
    (point,) = points_at(fixed_points(system, [0.1, 0.1], [1.5, 1.5]), 1, 1)
    rate = 0.02 / 0.1  # (1 − ema)/η; ds/dt = s²ξ − s⁵
    expected = np.linalg.eigvals([[2 - 5, 1], [rate, -rate]])
    np.testing.assert_allclose(point.eigenvalues, np.sort(expected)[::-1], rtol=1e-9)


def test_eigenvalues_are_those_of_finite_differences(cosine):
    point = judge(cosine, [0.8, 0.8])
    step, rates = 1e-5, jax.jit(cosine)
    columns = [
        (np.asarray(rates(point.x + d)) - np.asarray(rates(point.x - d))) / (2 * step)
        for d in step * np.eye(2)
    ]
    expected = np.sort(np.linalg.eigvals(np.stack(columns, axis=1)))[::-1]
    np.testing.assert_allclose(point.eigenvalues, expected, atol=1e-8)


def test_parameters_override_and_break_what_is_conserved():
    system = dynamical_system("euclidean", 1, predictor="learned")
    found = fixed_points(system, [0, 0], [1.5, 1.5], weight_decay=0.1, predictor_decay=0.1)
    assert [p.stability for p in found] == ["stable", "saddle", "stable"]
    assert all(p.zero_modes == 0 for p in found)


def test_starts_that_find_the_ghost_are_reported():
    system = dynamical_system("euclidean", 1, stop_gradient=False)
    search = find_fixed_points(system, [0], [1.4], starts=64)
    assert [p.x.tolist() for p in search.found] == [[0.0]]
    assert len(search.unsettled) > 32
    ghost = 1.0  # λ, where (1 − λ)² + σ₂² is least, up to O(σ₂²)
    assert np.abs(np.median(search.unsettled**2) - ghost) < 0.05


@pytest.mark.full
def test_there_is_no_fixed_point_where_a_loss_has_no_value():
    system = dynamical_system("cosine", weight_decay=0.1)
    search = find_fixed_points(system, *WINDOW, starts=16)
    assert search.found == ()


@pytest.mark.full
def test_no_fixed_point_is_claimed_where_an_average_does_not_exist():
    """E[1/|z2|] of one Gaussian is infinite: with one mode left the loss has no rates."""
    loss = parse_loss("sum((lam*z1 - sg(z2))**2)/norm(sg(z2))")
    system = dynamical_system(loss, sigma1=0.5, sigma2=0.3, weight_decay=0.05)
    found = find_fixed_points(system, [0, 0], [1.2, 1.2], starts=64)
    assert len(found.undefined) > 0
    assert (found.undefined.min(axis=1) < 1e-6).all()
    assert min(point.x.min() for point in found.found) > 0.01


def test_beyond_the_fold_only_collapse_is_left():
    system = dynamical_system("euclidean", 1)
    below = fixed_points(system, [0], [1.4], weight_decay=0.25 - 1e-6)
    above = fixed_points(system, [0], [1.4], weight_decay=0.25 + 1e-6)
    assert (len(below), len(above)) == (3, 1)


@pytest.mark.parametrize("window", [([1], [1]), ([0], [np.nan]), ([0, 0], [1, 1]), ([1], [0])])
def test_a_window_that_is_none_is_refused(window):
    with pytest.raises(InvalidSetting, match="window"):
        fixed_points(dynamical_system("euclidean", 1), *window)


def test_a_parameter_that_the_system_does_not_have_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'weight_decay'"):
        fixed_points(dynamical_system("euclidean", 1), [0], [1], weight_decy=0.1)


def test_a_root_of_the_correlation_has_a_stability_at_zero():
    system = dynamical_system("euclidean", 1, predictor="running", alpha=0.5, weight_decay=0.1)
    origin = fixed_points(system, [0, 0], [1.4, 1.4])[0]
    relaxation = (1 - system.parameters["correlation_momentum"]) / system.parameters[
        "learning_rate"
    ]
    np.testing.assert_allclose(sorted(origin.eigenvalues.real), [-relaxation, -0.1], rtol=1e-9)
    assert origin.stability == "stable"


def designed(rate, modes):
    return dynamical_system(design_loss(rate).loss, modes)


@pytest.mark.parametrize("modes", [1, 2])
def test_a_double_root_is_half_stable_and_its_eigenvalue_zero(modes):
    found = fixed_points(designed("-(lam - 1)**2", modes), [0] * modes, [1.4] * modes)
    assert sorted(p.x.round(12).tolist() for p in found) == [
        list(map(float, one)) for one in np.ndindex(*[2] * modes)
    ]  # where they are, exactly, since symbols say so
    for point in found:
        assert point.zero_modes == (point.x == 1).sum()
        assert np.isin(point.eigenvalues, [0, -1]).all()
        assert point.stability == ("half-stable" if (point.x == 1).any() else "stable")


@pytest.mark.parametrize(
    ("rates", "stability"),
    [
        (lambda x: -((x - 1) ** 2), "half-stable"),
        pytest.param(lambda x: (x - 1) ** 2, "half-stable", marks=pytest.mark.full),
        pytest.param(lambda x: -((x - 1) ** 3), "stable", marks=pytest.mark.full),
        (lambda x: (x - 1) ** 3, "unstable"),
    ],
)
def test_a_sign_is_not_read_from_a_number_below_its_error(rates, stability):
    """The roots are not known in symbols, so that Newton's steps stop short of them."""
    one = HandWritten({}, ("x",), lambda u: (rates(u[0]),))
    beside = HandWritten({}, ("x", "y"), lambda u: (rates(u[0]) * (1 + u[1]), u[0] - u[1]))
    for system in (one, beside):
        size = len(system.names)
        found = fixed_points(system, [0.3] * size, [1.8] * size, starts=64)
        decaying = size > 1 and stability == "unstable"
        assert {p.stability for p in found} == {"saddle" if decaying else stability}
        assert {p.zero_modes for p in found} == {1}
        assert all(0 in p.eigenvalues for p in found)


@pytest.mark.parametrize("distance", [1e-4, 1e-6])
def test_roots_that_nearly_merge_keep_their_signs(distance):
    system = HandWritten({}, ("x",), lambda u: (distance**2 - (u[0] - 1) ** 2,))
    found = fixed_points(system, [0.3], [1.8], starts=64)
    assert [p.stability for p in found] == ["unstable", "stable"]
    rates = [p.eigenvalues[0].real for p in found]
    np.testing.assert_allclose(rates, [2 * distance, -2 * distance], rtol=1e-2)


def test_an_oscillation_that_neither_grows_nor_decays_is_neutral():
    assert judge(hopf(), [0.0, 0.0]).stability == "neutral"
    assert judge(hopf(), [0.0, 0.0], mu=1e-6).stability == "unstable"
    assert judge(hopf(), [0.0, 0.0], mu=-1e-6).stability == "stable"
