"""Claims about continuation: bifurcations and eigenvalues are those of closed forms."""

from functools import partial

import hand_written
import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from structures import first_of

from eigendyn.analysis.bifurcations.continuation import continue_fixed_points, usual_window
from eigendyn.analysis.fixed_points.fixed_points import fixed_points
from eigendyn.analysis.system import dynamical_system
from eigendyn.errors import InvalidSetting, UnknownName
from eigendyn.simulation.simulate import simulate

BOTH = ("weight_decay", "predictor_decay")


def away(branch, distance=1e-3):
    """Points of a branch that are not at its special points, nor at the range's ends."""
    special = [one.parameter for one in branch.special_points]
    ends = [branch.parameter.min(), branch.parameter.max(), *special]
    return np.abs(branch.parameter[:, None] - ends).min(axis=1) > distance


@pytest.mark.parametrize("sigma1", first_of(0.7, 0.0, 0.3, 1.2))
def test_euclidean_modes_live_up_to_the_saddle_node_of_theory(sigma1):
    c = 1 + sigma1**2
    system = dynamical_system("euclidean", 1)
    found = continue_fixed_points(system, "weight_decay", (0, 0.4), sigma1=sigma1)
    (fold,) = found.special_points
    assert fold.kind == "saddle-node" and fold.refined
    np.testing.assert_allclose(fold.parameter, 1 / (4 * c), atol=1e-12)
    np.testing.assert_allclose(fold.x[0] ** 2, 1 / (2 * c), atol=1e-8)
    low, high = np.sort(fold.bracket[:, 1])
    assert low < (1 / (2 * c)) ** 0.5 < high
    (alive,) = (one for one in found.branches if one.x.max() > 0)
    v = alive.x[:, 0] ** 2
    np.testing.assert_allclose(v * (1 - c * v), alive.parameter, atol=1e-10)
    np.testing.assert_allclose(alive.eigenvalues[:, 0].real, 2 * v * (1 - 2 * c * v), atol=1e-8)
    some = away(alive)
    np.testing.assert_array_equal(alive.stable[some], (v > 1 / (2 * c))[some])
    (dead,) = (one for one in found.branches if one.x.max() == 0)
    np.testing.assert_allclose(dead.eigenvalues[:, 0].real, -dead.parameter, atol=1e-12)
    decays = dead.parameter > 0
    assert decays.any() and dead.stable[decays].all()


@pytest.mark.parametrize("sigma1", first_of(0.5, 0.0))
def test_isotropic_modes_live_up_to_one_with_the_eigenvalues_of_theory(sigma1):
    c = 1 + sigma1**2
    system = dynamical_system("iso-euclidean", 1)
    found = continue_fixed_points(system, "weight_decay", (0, 1.4), sigma1=sigma1)
    (one,) = found.special_points
    assert one.kind == "transcritical"
    np.testing.assert_allclose([one.parameter, one.x[0]], [1, 0], atol=1e-12)
    assert one.bracket[:, 0].min() < 1 < one.bracket[:, 0].max()
    (alive,) = (b for b in found.branches if b.x.max() > 0)
    np.testing.assert_allclose(alive.x[:, 0] ** 2, (1 - alive.parameter) / c, atol=1e-9)
    np.testing.assert_allclose(alive.eigenvalues[:, 0].real, -2 * (1 - alive.parameter), atol=1e-9)
    (dead,) = (b for b in found.branches if b.x.max() == 0)
    np.testing.assert_allclose(dead.eigenvalues[:, 0].real, 1 - dead.parameter, atol=1e-12)


@pytest.mark.full
@pytest.mark.parametrize(("rate", "sigma1"), first_of((2.0, 0.5), (1.0, 0.0)))
def test_a_learned_predictor_lives_up_to_the_decay_that_tian_found(rate, sigma1):
    c, tau = 1 + sigma1**2, 1.0  # of a shared target
    system = dynamical_system(
        "euclidean", 1, predictor="learned", predictor_rate=rate, sigma1=sigma1
    )
    found = continue_fixed_points(system, BOTH, (0, 0.4))
    (fold,) = found.special_points
    np.testing.assert_allclose(fold.parameter, tau**2 / (4 * c), atol=1e-10)
    np.testing.assert_allclose(fold.x[1], tau / (2 * c), atol=1e-8)
    (alive,) = (one for one in found.branches if one.x.max() > 0)
    inner = alive.parameter > 1e-6  # without decay rests fill a line, which the branch only meets
    decay, p, s = alive.parameter[inner], alive.x[inner, 1], alive.x[inner, 0]
    np.testing.assert_allclose(p * (tau - c * p), decay, atol=1e-10)
    np.testing.assert_allclose(s**2, p**2 / rate, atol=1e-10)
    expected = np.sort([p * (tau - 2 * c * p), -2 * decay], axis=0)[::-1].T
    np.testing.assert_allclose(np.real(alive.eigenvalues[inner]), expected, atol=1e-8)
    some = away(alive)[inner]
    upper = p > tau / (2 * c)
    kinds = np.where(upper, "stable", "saddle")
    np.testing.assert_array_equal(alive.stability[inner][some], kinds[some])


@pytest.mark.full  # Hopf points of textbooks: test_special_points.py
def test_slow_correlations_oscillate_once_momentum_is_heavy():
    # With m = η(1 + β)/2, friction γ = 1 − β and k = (1 − μ_c)/η, without decay and noise, the
    # Jacobian's polynomial is m μ³ + (γ + m k)μ² + γ k μ + 2k: a pair crosses at
    # γ(γ + m k) = 2m (Routh, Hurwitz), with the frequency √(γ k/m).
    eta, momentum = 0.1, 0.7
    m, friction = eta * (1 + momentum) / 2, 1 - momentum
    k = (2 * m / friction - friction) / m
    system = dynamical_system(
        "euclidean", 1, predictor="running", momentum=momentum, learning_rate=eta
    )
    found = continue_fixed_points(system, "correlation_momentum", (0.1, 0.9))
    (one,) = found.special_points
    assert one.kind == "Hopf"
    np.testing.assert_allclose(one.parameter, 1 - eta * k, atol=1e-10)
    np.testing.assert_allclose(one.frequency, np.sqrt(friction * k / m), rtol=1e-9)
    np.testing.assert_allclose(one.x, [1, 0, 1], atol=1e-10)

    for aside, grows in ((-0.04, False), (0.04, True)):  # faster correlations are stable
        compiled = jax.jit(partial(system, correlation_momentum=one.parameter + aside))
        path = solve_ivp(
            lambda _, x, of=compiled: np.asarray(of(x)),
            (0, 20),
            one.x + np.array([1e-5, 0, 0]),
            rtol=1e-9,
            atol=1e-13,
        )
        deviation = np.abs(path.y[0] - 1)
        early, late = (deviation[path.t < 4].max(), deviation[path.t > 16].max())
        assert (late > early) == grows


@pytest.mark.parametrize("decay", first_of(0.15, 0.05, 0.22))
def test_stability_along_a_branch_is_that_of_training(decay):
    found = continue_fixed_points(dynamical_system("euclidean", 1), "weight_decay", (0, 0.4))
    (alive,) = (one for one in found.branches if one.x.max() > 0)
    nearest = [
        int(np.argmin(np.where(alive.stable == stable, np.abs(alive.parameter - decay), np.inf)))
        for stable in (True, False)
    ]
    for index, stable in zip(nearest, (True, False), strict=True):
        v = alive.x[index, 0] ** 2
        run = simulate(
            "euclidean", [1.01 * v, 0.99 * v], weight_decay=alive.parameter[index], steps=1000
        )
        away_now = np.abs(run["variance"].values[:, -1] / v - 1)
        assert (away_now < 1e-3).all() if stable else (away_now > 0.1).all()


@pytest.mark.full
def test_without_decay_cosine_is_followed_on_the_level_of_its_start():
    found = continue_fixed_points(
        dynamical_system("cosine", 2, sigma2=0.0),
        "sigma1",
        (0, 1),
        start=[0.7, 0.7],
    )
    (line,) = found.branches
    assert list(line.levels) == ["sum of variances"]
    np.testing.assert_allclose((line.x**2).sum(axis=1), 0.98, atol=1e-10)
    np.testing.assert_allclose(line.x, 0.7, atol=1e-9)  # equal eigenvalues stay at rest
    assert line.stable.all()
    without_noise = line.eigenvalues[np.argmin(line.parameter)].real
    np.testing.assert_allclose(without_noise, [0, -2 / (4 * 0.49)], atol=1e-7)


def test_a_start_brings_its_own_branch_and_what_hangs_together_with_it():
    system = dynamical_system("iso-euclidean", 1)
    found = continue_fixed_points(
        system, "weight_decay", (0, 1.4), start=[0.5**0.5], weight_decay=0.5
    )
    alive, dead = found.branches
    assert alive.x.max() > 0.9
    assert dead.x.max() == 0


@pytest.mark.full  # each has the closed form: above, and in fixed_points/
def test_a_search_at_one_value_agrees_with_the_branches():
    system = dynamical_system("euclidean", 1)
    found = continue_fixed_points(system, "weight_decay", (0, 0.4), sigma1=0.4)
    points = fixed_points(system, [0], [1.4], weight_decay=0.17, sigma1=0.4)
    assert len(points) == 3  # dead, unstable, alive
    for point in points:
        near = min(
            float(np.hypot(one.x[:, 0] - point.x[0], one.parameter - 0.17).min())
            for one in found.branches
        )
        assert near < 0.02


@pytest.mark.parametrize(
    ("system", "parameter", "options", "error", "says"),
    [
        ("euclidean", "weight_dekay", {}, UnknownName, "Known: sigma1, weight_decay"),
        ("euclidean", "sigma2", {}, UnknownName, "Known: sigma1, weight_decay"),
        ("euclidean", "weight_decay", {"sigma3": 1}, UnknownName, "sigma3"),
        (
            "euclidean",
            "weight_decay",
            {"start": [0.3], "weight_decay": 0.1},
            InvalidSetting,
            "A start must be a fixed point, and the largest rate at .0.3. with weight_decay = 0.1",
        ),
        ("euclidean", "weight_decay", {"start": [0.3, 1]}, InvalidSetting, "needs 1 coordinates"),
        (
            "euclidean",
            "weight_decay",
            {"start": [0.0], "weight_decay": 3},
            InvalidSetting,
            "weight_decay in the range 0, 0.4",
        ),
        ("euclidean", "weight_decay", {"window": ([1], [0])}, InvalidSetting, "window needs"),
        (
            "euclidean",
            "weight_decay",
            {"window": ([1.3], [1.4])},
            InvalidSetting,
            "must be a fixed point to follow",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(system, parameter, options, error, says):
    with pytest.raises(error, match=says) as refusal:
        continue_fixed_points(dynamical_system(system, 1), parameter, (0, 0.4), **options)
    assert "\n" not in str(refusal.value)


def test_rests_that_fill_lines_are_refused():
    with pytest.raises(InvalidSetting, match="fill lines that no conserved quantity parts"):
        continue_fixed_points(hand_written.line(), "mu", (0, 1), window=([0, 0], [1, 1]))


@pytest.mark.full  # the last test below follows another branch of it
def test_a_root_of_a_running_correlation_is_followed_where_it_has_a_jacobian():
    system = dynamical_system("euclidean", 1, alpha=0.5, predictor="running")
    found = continue_fixed_points(system, "weight_decay", (0, 0.4))
    (fold,) = found.special_points
    np.testing.assert_allclose(fold.parameter, 0.25, atol=1e-9)


@pytest.mark.full  # momentum stands in the Hopf point above
def test_the_predictor_s_velocity_may_have_either_sign():
    system = dynamical_system("euclidean", 1, predictor="learned", momentum=0.9)
    low, high = usual_window(system)
    for name, bottom, top in zip(system.names, low, high, strict=True):
        assert (bottom < 0 < top) == ("velocity" in name)
    diagram = continue_fixed_points(system, ("weight_decay", "predictor_decay"), (0, 0.4))
    (fold,) = diagram.special_points
    assert fold.kind == "saddle-node"
    np.testing.assert_allclose(fold.parameter, 0.25, atol=1e-9)  # momentum moves no fixed point


@pytest.mark.full
@pytest.mark.parametrize("centre", first_of(33.3, 1.7, 2.0, 6.1))
def test_a_closed_loop_is_found_in_a_wide_range(centre):
    diagram = continue_fixed_points(
        hand_written.loop(centre), "mu", (0, 40), window=([-1.5], [1.5]), seed=1
    )
    loops = [b for b in diagram.branches if b.ended == ("closed loop", "closed loop")]
    assert len(loops) == 1
    kinds = sorted((one.kind, round(one.parameter, 6)) for one in diagram.special_points)
    assert kinds == [("saddle-node", centre - 0.5), ("saddle-node", centre + 0.5)]


@pytest.mark.full
def test_a_branch_without_slope_at_zero_is_followed():
    system = dynamical_system("euclidean", 1, predictor="running", alpha=0.5)
    diagram = continue_fixed_points(system, "weight_decay", (0, 0.4))
    (dead,) = [b for b in diagram.branches if (b.x == 0).all()]
    np.testing.assert_array_equal([dead.parameter.min(), dead.parameter.max()], [0, 0.4])
    assert set(dead.stability[1:]) == {"stable"}
    np.testing.assert_allclose(dead.eigenvalues[:, 0].real, -dead.parameter, atol=1e-12)
