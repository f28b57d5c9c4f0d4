"""Claims about time-shifted curves: the exact solutions, the contract, failure as a value."""

import mpmath
import numpy as np
import pytest
from extended import follow
from structures import first_of

import eigendyn
from eigendyn.errors import InvalidSetting, NotDecoupled
from eigendyn.program.in_jax import compile_field
from eigendyn.results.trajectory import BATCH_STATUSES
from eigendyn.simulation.engines.closed_form.closed_form import bernoulli, omega
from eigendyn.simulation.engines.shifted.ensemble import shifted_ensemble
from eigendyn.simulation.engines.shifted.power_sum import PowerSum, growth_powers
from eigendyn.simulation.engines.shifted.tables import tabulate_curves
from eigendyn.simulation.engines.shifted.zeros import zeros_and_extrema
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.loss_text import parse_loss
from eigendyn.theory.losses import named_loss

NOTHING = {"sigma1": 0.0, "sigma2": 0.0, "weight_decay": 0.0}
ACCURACIES = [(1e-6, 1e-9), (1e-10, 1e-13), (1e-6, 0.0)]


def dynamics(loss="euclidean", alpha=1.0, **parts):
    symbolic = parse_loss(loss) if "sum" in loss else named_loss(loss, **parts)
    return close(mode_dynamics(symbolic, alpha), "auto")


def shifted(system, variances, times, rtol=1e-6, atol=1e-9, **options):
    numbers = NOTHING | {k: options.pop(k) for k in tuple(options) if k in NOTHING}
    starts = np.sqrt(np.atleast_2d(variances))[:, None, :]
    return shifted_ensemble(system, starts, times, numbers, rtol=rtol, atol=atol, **options)


def excess(batch, exact, rtol, atol):
    """Largest error of s over what was asked for, and of v = s²."""
    s, y = batch.values[:, 0], np.asarray(exact)
    of_s = np.abs(s - y) / (atol + rtol * y + 1e-300)
    of_v = np.abs(s**2 - y**2) / (atol + rtol * y**2 + 1e-300)
    return max(of_s.max(), of_v.max())


WIDE = np.geomspace(1e-6, 1e3, 200).reshape(20, 10)
LONG_TIMES = np.concatenate([[0], np.geomspace(1e-3, 1e6, 60)])


@pytest.mark.parametrize(("rtol", "atol"), [(1e-6, 1e-9), (1e-6, 0.0), (1e-8, 1e-12)])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_euclidean_follows_the_wright_omega_function(alpha, rtol, atol):
    variances = np.geomspace(1e-3, 1e3, 200).reshape(20, 10)
    batch = shifted(dynamics(alpha=alpha), variances, LONG_TIMES, rtol, atol, sigma1=0.5)
    exact = np.sqrt(omega(variances.ravel(), LONG_TIMES, alpha, 2.0, 2.5))
    assert not batch.status.any()
    assert excess(batch, exact.reshape(20, 10, -1), rtol, atol) < 1


@pytest.mark.parametrize(("rtol", "atol"), first_of(*ACCURACIES[::-1]))
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("decay", [0.0, 0.3, 1.5])
def test_iso_euclidean_is_logistic(alpha, decay, rtol, atol):
    system = dynamics("iso-euclidean", alpha)
    batch = shifted(system, WIDE, LONG_TIMES, rtol, atol, weight_decay=decay)
    exact = np.sqrt(bernoulli(WIDE.ravel(), LONG_TIMES, alpha, 2 - 2 * decay, 2.0))
    exact = np.asarray(exact).reshape(20, 10, -1)
    kept = exact > 1e-130  # a smaller singular value counts as zero
    batch.values[:, 0][~kept], exact[~kept] = 0, 0
    assert not batch.status.any()
    assert excess(batch, exact, rtol, atol) < 1


def random_rate(random):
    """Exponents and coefficients: built-in families, folds, and sums of powers at random."""
    alpha = random.choice([0.3, 0.5, 1.0, 2.0])
    kind = random.integers(5)
    if kind == 0:  # weight decay, up to and past the fold
        decay = random.choice([0.0, 0.01, 0.1, 0.2499, 0.25, 0.3])
        terms = [(0, -2 * decay), (alpha, 2.0), (2 * alpha, -2 * random.choice([1, 1.04]))]
    elif kind == 1:
        terms = [(0, 2 - 2 * random.choice([0, 0.5, 1.2])), (alpha, -2.0)]
    elif kind == 2:  # ghosts
        sigma = random.choice([0, 0.003, 0.01, 0.1])
        terms = [(0, -2 - 2 * sigma**2), (alpha, 4.0), (2 * alpha, -2.0)]
    elif kind == 3:
        exponents = np.unique(random.uniform(0, 4, random.integers(2, 6)).round(1))
        terms = [(r, 2 * random.normal()) for r in exponents]
    else:
        zeros = [*np.exp(0.7 * random.normal(size=3)), random.normal(), -abs(random.normal())]
        terms = [(r, -0.3 * c) for r, c in enumerate(np.poly(zeros)[::-1])]
    return tuple(zip(*[(float(r), float(c)) for r, c in terms if c], strict=True))


@pytest.mark.parametrize(
    ("seed", "rtol", "atol", "problems"),
    first_of((0, *ACCURACIES[0], 4), (0, *ACCURACIES[0], 12), (1, *ACCURACIES[1], 12)),
)
def test_random_problems_keep_the_contract(seed, rtol, atol, problems, monkeypatch):
    random = np.random.default_rng(seed)
    each = 24
    for _ in range(problems):
        exponents, coefficients = random_rate(random)
        rate = power_sum(exponents, coefficients)
        s = np.exp(random.uniform(np.log(1e-3), np.log(31), each))
        for i, x in enumerate(zeros_and_extrema(rate)[0][:6]):  # close to both sides of each
            s[i] = float(mpmath.exp(x / 2)) * (1 + random.choice([-1, 1]) / 10 ** (1 + 2 * i))
        times = np.append(0, np.sort(random.uniform(0, 10 ** random.uniform(-3, 2.3), 20)))
        monkeypatch.setattr(
            "eigendyn.simulation.engines.shifted.ensemble._powers", lambda *_, r=rate: r
        )
        batch = shifted_ensemble(None, s[:, None, None], times, {}, rtol=rtol, atol=atol)  # pyright: ignore
        exact = follow(exponents, coefficients, s, times, most_steps=2_000).astype(float)
        trusted = batch.status != BATCH_STATUSES.index("inaccurate")
        reached = np.isfinite(exact) & trusted[:, None]
        found = batch.values[:, 0, 0]
        near_pole = ~np.isfinite(found) & reached & (exact > 1e50)
        reached &= ~near_pole
        error = np.abs(found - exact)[reached] / (atol + rtol * exact[reached])
        assert trusted.mean() > 0.9
        assert error.max() < 1, (exponents, coefficients)


def power_sum(exponents, coefficients):
    return PowerSum(tuple(map(mpmath.mpf, exponents)), tuple(map(mpmath.mpf, coefficients)))


@pytest.mark.parametrize(
    ("system", "numbers"),
    [
        (dynamics(alpha=0.3, beta=0.4), {"sigma1": 0.3, "weight_decay": 0.02}),
        (dynamics(stop_gradient=False), {"sigma1": 0.1, "sigma2": 0.2}),
        (dynamics("sum((lam*z1 - sg(z2))**4)/4", 0.5), {"sigma1": 0.1, "sigma2": 0.3}),
        (dynamics("sum((lam*z1 - sg(z2))**2) - sum(z1*sg(z2))"), {"weight_decay": 0.1}),
    ],
)
def test_powers_equal_the_compiled_field(system, numbers):
    parameters = NOTHING | numbers
    s = np.geomspace(1e-2, 3, 7)
    rate = growth_powers(system, parameters, 7)
    terms = zip(rate.exponents, rate.coefficients, strict=True)
    growth = sum(float(c) * s ** (2 * float(r)) for r, c in terms)
    np.testing.assert_allclose(
        compile_field(system)(0.0, s[None], parameters)[0], s * growth / 2, rtol=1e-12, atol=1e-13
    )


def decayed(s, time, decay):
    """Follow dλ/dt = −2λ(λ−a)(λ−b) by bisecting its explicit time in 60 digits; s² = λ < b."""
    with mpmath.workdps(60):
        root = mpmath.sqrt(1 - 4 * mpmath.mpf(decay))
        a, b = (1 - root) / 2, (1 + root) / 2

        def passed(x):
            parts = [mpmath.log(x) / (a * b), mpmath.log(abs(x - a)) / (a * (a - b))]
            return -sum([*parts, mpmath.log(abs(x - b)) / (b * (b - a))]) / 2

        start = mpmath.mpf(float(s)) ** 2
        grows = start > a
        low, high = (start, b) if grows else (mpmath.mpf(0), start)
        until = passed(start) + mpmath.mpf(float(time))
        for _ in range(180):
            middle = (low + high) / 2
            low, high = (middle, high) if (passed(middle) < until) == grows else (low, middle)
        return mpmath.sqrt(high)


def test_both_sides_of_the_unstable_fixed_point_part():
    lowest = (1 - np.sqrt(1 - 0.4)) / 2  # λ₋ at ω = 0.1
    offsets = np.array([-1e-3, -1e-9, -1e-13, 1e-13, 1e-9, 1e-3])
    variances = lowest * (1 + offsets)
    times = np.linspace(0, 400, 6)
    batch = shifted(dynamics(), variances[:, None], times, 1e-8, 1e-12, weight_decay=0.1)
    exact = [[decayed(s, t, 0.1) for t in times] for s in np.sqrt(variances)]
    assert excess(batch, np.array(exact, float)[:, None], 1e-8, 1e-12) < 1
    ends = batch.values[:, 0, 0, -1]
    assert (ends[:3] < 0.1).all()
    assert (ends[3:] > 0.9).all()


def test_fixed_points_rest_exactly_and_zero_stays():
    times = np.geomspace(1e-3, 1e6, 50)
    batch = shifted(dynamics(), [[1.0, 0.0, 1.0]], times)
    np.testing.assert_array_equal(batch.values[0, 0], np.array([[1.0], [0], [1]]) * np.ones(50))
    assert batch.status[0] == 0


def test_a_fold_is_one_semistable_fixed_point_and_past_it_there_is_none():
    at_fold = growth_powers(dynamics(), NOTHING | {"weight_decay": 0.25})
    past = growth_powers(dynamics(), NOTHING | {"weight_decay": np.nextafter(0.25, 1)})
    before = growth_powers(dynamics(), NOTHING | {"weight_decay": np.nextafter(0.25, 0)})
    (only,) = zeros_and_extrema(at_fold)[0]
    assert float(mpmath.exp(only)) == 0.5
    assert len(zeros_and_extrema(past)[0]) == 0
    assert len(zeros_and_extrema(before)[0]) == 2


@pytest.mark.parametrize("sigma", [0.01, 0.001])
def test_the_ghost_delays_collapse_as_long_as_theory_says(sigma):
    delay = np.pi / (2 * sigma)
    times = np.array([0.0, 0.9 * delay, 1.1 * delay + 5])
    batch = shifted(dynamics(stop_gradient=False), [[4.0]], times, sigma2=sigma)
    assert 0.9 < batch.values[0, 0, 0, 1] < 1
    assert batch.values[0, 0, 0, 2] < 0.3
    exact = follow([0, 1, 2], [-2 - 2 * sigma**2, 4, -2], [2.0], times).astype(float)
    assert excess(batch, exact[:, None], 1e-6, 1e-9) < 1


@pytest.mark.parametrize("sigma", [1e-3, 1e-4, 1e-5, 1e-6])
def test_what_passes_a_narrow_ghost_is_right_or_flagged(sigma):
    with mpmath.workdps(40):
        v, a = mpmath.matrix([1.5, 0.5]), mpmath.mpf(sigma)
        at = [mpmath.log(x) - mpmath.log((1 - x) ** 2 + a**2) / 2 for x in v]
        at = [x + mpmath.atan((y - 1) / a) / a for x, y in zip(at, v, strict=True)]
        time = float((at[0] - at[1]) / (2 * (1 + a**2)))
    batch = shifted(dynamics(stop_gradient=False), [[1.5]], [0, time], sigma2=sigma)
    right = abs(batch.values[0, 0, 0, -1] - 0.5**0.5) < 1e-5
    assert right or BATCH_STATUSES[batch.status[0]] == "inaccurate"
    assert right or sigma < 1e-4


def test_bad_starts_are_flagged_and_spoil_no_neighbour():
    starts = np.sqrt(np.random.default_rng(0).uniform(0.1, 2, (6, 1, 3)))
    times = np.linspace(0, 5, 30)
    good = shifted_ensemble(dynamics(), starts, times, NOTHING)
    spoiled = starts.copy()
    spoiled[1, 0, 2], spoiled[3, 0, 0], spoiled[4, 0, 1] = np.nan, -0.1, np.inf
    batch = shifted_ensemble(dynamics(), spoiled, times, NOTHING)
    names = [BATCH_STATUSES[i] for i in batch.status]
    assert [name == "invalid-start" for name in names] == [i in (1, 3, 4) for i in range(6)]
    assert np.isnan(batch.values[[1, 3, 4]]).all()
    np.testing.assert_array_equal(batch.values[[0, 2, 5]], good.values[[0, 2, 5]])


def test_a_mode_that_becomes_infinite_is_diverged_from_then_on():
    grows = dynamics("-sum(lam*z1*sg(z2))")  # dv/dt = 2 v²: v = v₀/(1 − 2 v₀ t)
    times = np.linspace(0, 2, 101)
    batch = shifted(grows, [[0.5, 0.01], [0.2, 0.01]], times, 1e-8, 1e-12)
    assert [BATCH_STATUSES[i] for i in batch.status] == ["diverged", "completed"]
    finite = np.isfinite(batch.values[0, 0])
    np.testing.assert_array_equal(finite, np.broadcast_to(times < 1, (2, 101)))
    v0 = np.array([[0.2], [0.01]])
    np.testing.assert_allclose(batch.values[1, 0] ** 2, v0 / (1 - 2 * v0 * times), rtol=1e-8)


@pytest.mark.full  # what passes a ghost has to be flagged above too
def test_times_that_floats_cannot_tell_apart_are_called_inaccurate():
    batch = shifted(dynamics(), [[1e-14], [0.1]], np.array([0, 5e13, 5.1e13]), 1e-8, 1e-12)
    assert [BATCH_STATUSES[i] for i in batch.status] == ["inaccurate", "completed"]


def test_results_do_not_depend_on_threads_order_or_neighbours():
    random = np.random.default_rng(3)
    variances = np.exp(random.uniform(-6, 2, (3_000, 4)))
    times = np.linspace(0, 30, 37)
    one = shifted(dynamics(), variances, times, threads=1, weight_decay=0.05)
    two = shifted(dynamics(), variances, times, threads=2, weight_decay=0.05)
    np.testing.assert_array_equal(one.values, two.values)
    order = random.permutation(3_000)
    mixed = shifted(dynamics(), variances[order], times, threads=2, weight_decay=0.05)
    np.testing.assert_array_equal(mixed.values, one.values[order])
    parts = [shifted(dynamics(), v, times, weight_decay=0.05) for v in np.split(variances, 3)]
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts]), one.values)


def test_the_final_time_alone_is_the_last_of_all():
    variances, times = np.geomspace(1e-2, 3, 20).reshape(4, 5), np.linspace(1, 9, 20)
    every = shifted(dynamics(), variances, times)
    final = shifted(dynamics(), variances, times, keep="final")
    np.testing.assert_array_equal(final.values[..., 0], every.values[..., -1])
    np.testing.assert_array_equal(final.times, times[-1:])


def test_a_sweep_shares_a_curve_among_equal_parameters():
    decays = np.array([0.0, 0.1, 0.0, 0.3, 0.1])
    times, variances = np.linspace(0, 20, 11), np.full((5, 2), 0.4)
    swept = shifted(dynamics(), variances, times, weight_decay=decays)
    for i, decay in enumerate(decays):
        alone = shifted(dynamics(), variances[i], times, weight_decay=decay)
        np.testing.assert_array_equal(swept.values[i], alone.values[0])


def test_float32_starts_give_float32_results():
    starts = np.sqrt(np.geomspace(1e-2, 3, 20)).reshape(4, 1, 5)
    times = np.linspace(0, 9, 21)
    double = shifted_ensemble(dynamics(), starts, times, NOTHING)
    single = shifted_ensemble(dynamics(), starts.astype(np.float32), times, NOTHING)
    assert single.values.dtype == np.float32
    np.testing.assert_allclose(single.values, double.values, rtol=1e-5)


def test_no_trajectory_no_time_and_no_motion_are_answered():
    assert shifted_ensemble(dynamics(), np.empty((0, 1, 3)), [0, 1], NOTHING).values.size == 0
    still = shifted(dynamics(predictor=False), [[0.5, 2.0]], [0.0, 1.0])
    np.testing.assert_array_equal(still.values[0, 0, :, 0], still.values[0, 0, :, 1])


@pytest.mark.parametrize("loss", ["cosine", "iso-cosine"])
def test_coupled_modes_are_refused(loss):
    with pytest.raises(NotDecoupled, match="own singular value alone"):
        shifted(dynamics(loss), [[0.5, 1.0]], [0.0, 1.0])


def test_numbers_without_meaning_are_refused():
    with pytest.raises(InvalidSetting, match="at least"):
        shifted(dynamics(), [[0.5]], [0.0, 1.0], rtol=1e-15)
    with pytest.raises(InvalidSetting, match="increase"):
        shifted(dynamics(), [[0.5]], [1.0, 0.0])
    with pytest.raises(InvalidSetting, match="keep"):
        shifted(dynamics(), [[0.5]], [0.0, 1.0], keep="middle")


def test_tables_keep_the_error_that_they_state():
    rate = growth_powers(dynamics(), NOTHING | {"weight_decay": 0.1})
    curves = tabulate_curves(rate, (0, 2), -12, 8, 8, 1e-6, 1e-9)
    assert 0 < curves.error <= 1


@pytest.mark.full  # simulation/test_ensemble.py has both beside a third
def test_flow_and_shift_agree_on_a_built_in_loss():
    run = eigendyn.simulate("euclidean", WIDE[10], method="flow", weight_decay=0.02, steps=300)
    batch = shifted(dynamics(), WIDE[10], run.time.values, 1e-9, 1e-12, weight_decay=0.02)
    np.testing.assert_allclose(batch.values[0, 0] ** 2, run.variance, rtol=1e-7, atol=1e-10)
