"""Claims about when modes arrive: the same whatever is saved, and right to a millionth."""

import jax
import numpy as np
import pytest
from labelled import logistic
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from structures import first_of

import eigendyn
from eigendyn.results import arrivals
from eigendyn.results.arrivals import arrival_times, recruitment_times, root_sizes
from eigendyn.results.crossings import located
from eigendyn.results.events import watched, watched_steps
from eigendyn.theory.loss_text import parse_loss

SAVES = [301, 5, 2]


def test_recruitment_time_of_a_logistic_mode_is_its_inverse():
    """V = 0.95 at t = ln(19 (1/v₀ − 1)); the error falls with the square of the spacing."""
    start = np.array([1e-6, 1e-3, 0.1, 0.5, 0.9])
    exact = np.log(19 * (1 / start - 1))
    errors = []
    for saves in (601, 1201):
        times = np.linspace(0, 60, saves)
        found = recruitment_times(times, logistic(start, times))
        errors.append(np.abs(found - exact).max())
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 3


def test_recruitment_time_of_exponential_relaxation_is_exact_between_saved_times():
    times = np.array([0.0, 10.0, 20.0, 700.0])
    variance = 1 + np.array([[3.0], [-0.5]]) * np.exp(-0.3 * times)
    expected = np.log(np.array([3.0, 0.5]) / 0.05) / 0.3
    np.testing.assert_allclose(recruitment_times(times, variance), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("variance", "expected"),
    [
        ([1.0, 1.0, 1.0], 0.0),
        ([0.96, 0.5, 1.0], 0.0),  # the first time counts, whatever follows
        ([0.0, 0.0, 2.0], 1.95),
        ([0.0, 2.0, 1.0], 0.475),  # through the band between two saved times
        ([3.0, 0.0, 0.0], np.nan),
        ([1.0, 1.0, np.inf], np.nan),
    ],
)
def test_recruitment_time_of_special_courses(variance, expected):
    found = recruitment_times(np.arange(3.0), np.array([variance]))
    np.testing.assert_allclose(found, [expected])


def euclidean_arrival(start, duration):
    """From ½ dv/dt = v² (1 − v): t = [F(v) − F(v₀)]/2 with F(v) = ln(v/|1 − v|) − 1/v."""

    def time(v):
        of = lambda v: np.log(v / abs(1 - v)) - 1 / v  # noqa: E731
        return (of(v) - of(start)) / 2

    def variance(t):
        near, far = start, 1 - np.copysign(1e-15, 1 - start)
        return far if time(far) < t else brentq(lambda v: time(v) - t, near, far, xtol=1e-16)

    end = variance(duration)
    return time(end * (0.95 if start < end else 1.05))


@pytest.mark.parametrize("saves", SAVES)
def test_euclidean_modes_arrive_when_the_closed_form_says_whatever_is_saved(saves):
    start = [0.05, 0.004, 1e-3, 0.3, 1.5, 1e3]
    run = eigendyn.simulate("euclidean", start, saves=saves)
    expected = [euclidean_arrival(v, 150.0) for v in start]
    assert expected[0] == pytest.approx(12.418123, abs=1e-6)
    np.testing.assert_allclose(run.recruitment_time, expected, rtol=1e-6)
    assert run.outcome.values[0] == "recruited"


def test_polynomials_that_agree_by_chance_are_not_believed():
    """The isotropic mode v/(1 − cv) = e^{2t} v₀/(1 − cv₀) where two of them were wrong by 2e-5."""
    start, c = 0.001475476286318005, 1.09
    found = eigendyn.ensemble(
        "iso-euclidean",
        [[start]],
        sigma1=0.3,
        steps=2000,
        keep="recruitment",
        rtol=1e-8,
        atol=1e-12,
    )
    exact = np.log(19 * (1 / (c * start) - 1)) / 2
    assert found["recruitment_time"].item() == pytest.approx(exact, rel=1e-9)


def test_what_overflows_is_not_believed_and_warns_of_nothing():
    times = np.concatenate([[0.0, 1e-60, 2e-60], np.arange(1.0, 9.0)])
    curve = np.array([[1e300, 1e300, 1e299, *np.ones(8)]])
    _, error = located(times, curve, np.array([3]), np.array([2.0]), np.array([1.0]))
    assert not error[0] < 1


@pytest.mark.parametrize("method", first_of("compiled", "flow"))
def test_integrated_modes_arrive_when_the_closed_form_says(method):
    start = [0.05, 0.3, 1e3]
    run = eigendyn.simulate("euclidean", start, saves=2, method=method)
    expected = [euclidean_arrival(v, 150.0) for v in start]
    np.testing.assert_allclose(run.recruitment_time, expected, rtol=1e-6)


# LSODA's finest steps leave 1e-8 of a mode that began at 1e-5, at the default it says so
@pytest.mark.parametrize(
    "how", first_of({"method": "closed-form"}, {"method": "implicit", "rtol": 1e-7})
)
def test_transients_of_a_hundred_thousandth_of_the_run_are_found(how):
    """A thousand times the loss is a thousand times as fast: early jumps, and late ones."""
    loss = parse_loss("1000*sum((lam*z1 - sg(z2))**2)/2", {})
    start = [1e3, 0.05, 1e-3, 1e-5]
    run = eigendyn.simulate(loss, start, saves=2, sigma2=0.0, **how)
    expected = [euclidean_arrival(v, 150_000.0) / 1000 for v in start]
    assert expected[0] < 1.1e-3 and expected[3] > 40
    np.testing.assert_allclose(run.recruitment_time, expected, rtol=1e-6)
    assert run.outcome.values.tolist() == ["relaxed"] + 3 * ["recruited"]


def test_cosine_modes_arrive_when_an_integrator_of_scipy_says():
    """With its dense output, on the same equations in JAX."""
    start, closure = [0.02, 0.3, 1.1, 2.0], {"closure": "mean-field"}
    runs = [eigendyn.simulate("cosine", start, saves=saves, **closure) for saves in SAVES]
    field, states, parameters = eigendyn.vector_field("cosine", start, **closure)
    compiled = jax.jit(lambda s: field(0.0, s[None], parameters)[0])

    def rates(_, s):
        return np.asarray(compiled(s))

    way = solve_ivp(rates, (0, 150), states[0], "DOP853", rtol=1e-12, atol=1e-14, dense_output=True)
    end = way.y[:, -1] ** 2
    expected = []
    for mode, ends in enumerate(end):
        level = ends * (0.95 if start[mode] < ends else 1.05)
        gap = lambda t, m=mode, level=level: way.sol(t)[m] ** 2 - level  # noqa: E731
        grid = np.linspace(0, 150, 20_001)
        first = np.argmax(np.diff(np.sign(way.sol(grid)[mode] ** 2 - level)) != 0)
        expected.append(brentq(gap, grid[first], grid[first + 1], xtol=1e-12))
    for run in runs:
        np.testing.assert_allclose(run.recruitment_time, expected, rtol=1e-6)
        np.testing.assert_array_equal(run.outcome, runs[0].outcome)


def test_descent_arrives_between_steps_whatever_is_saved():
    start, settings = [0.05, 0.3, 1.5], {"method": "steps", "steps": 400}
    runs = [eigendyn.simulate("euclidean", start, saves=s, **settings) for s in (401, 7, 2)]
    for run in runs:
        np.testing.assert_array_equal(run.recruitment_time, runs[0].recruitment_time)
    every = recruitment_times(runs[0].time.values, runs[0].variance.values)
    np.testing.assert_allclose(runs[0].recruitment_time, every, rtol=1e-12)


def test_descent_that_memory_cannot_hold_is_looked_at_again(monkeypatch):
    start, settings = [0.05, 0.3, 1.5], {"method": "steps", "steps": 400, "saves": 2}
    expected = eigendyn.simulate("euclidean", start, **settings)
    monkeypatch.setattr("eigendyn.results.events.MEMORY", 8 * 3 * 40)
    assert len(watched_steps(400, 3)) == 41
    found = eigendyn.simulate("euclidean", start, **settings)
    np.testing.assert_allclose(found.recruitment_time, expected.recruitment_time, rtol=1e-12)


def test_a_mode_that_came_and_went_between_two_looks_is_seen():
    """Its variance dips below 1.05 of its end value for half the time between two looks."""
    times = np.linspace(0, 100, 101)

    def singular(t):
        dip = 0.2 - 0.155 * np.exp(-((t - 40.4) ** 2) / 2) - 0.2 / (1 + np.exp(90 - t))
        return np.sqrt(1 + dip)

    def follow(_, states, begin, end):
        closer = np.linspace(begin, end, 33)
        return closer, np.broadcast_to(singular(closer), (len(states), 1, 1, 33))

    assert (np.abs(singular(times[:60]) ** 2 / singular(times[-1]) ** 2 - 1) > 0.05).all()
    found = arrival_times(times, singular(times)[None, None, None], follow, 1e-12, False)
    level = 1.05 * singular(100.0) ** 2
    expected = brentq(lambda t: singular(t) ** 2 - level, 39, 40.4, xtol=1e-13)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_shares_are_recruited_under_decay_as_without_it():
    """Logistic shares, v = x and 1 − x, while both decay together to nothing."""
    times = np.linspace(0, 900, 9001)

    def singular(t):
        share = 1 / (1 + 99 * np.exp(-t))
        return np.sqrt(np.stack([share, np.exp(-t) * 99 * share])) * np.exp(-t / 2)

    def follow(_, states, begin, end):
        closer = np.linspace(begin, end, 33)
        return closer, np.broadcast_to(singular(closer), (len(states), 1, 2, 33))

    found = arrival_times(times, singular(times)[None, None], follow, 1e-12, True)
    np.testing.assert_allclose(found[0, 0], np.log(19 * 99), rtol=1e-6)  # where the share is 0.95


def test_a_run_is_watched_at_as_many_times_as_memory_allows():
    few, many = watched(1500, 10), watched(1500, 100_000)
    assert few[0] == many[0] == 0 and few[-1] == many[-1] == 1500
    assert 1425 in few and 1425 in many
    assert len(few) > 500
    assert 8 * 100_000 * len(many) < 2**26 < 8 * 100_000 * 2.1 * len(many)


def test_the_error_of_a_closure_does_not_depend_on_what_is_saved():
    runs = [eigendyn.simulate("cosine", [0.1, 0.6, 2.0], steps=300, saves=s) for s in (301, 7, 2)]
    assert len({run.attrs["closure_error"] for run in runs}) == 1


@pytest.mark.parametrize("of_shares", [True, False])
def test_work_on_arrivals_grows_with_the_trajectories_and_blocks_change_no_bit(
    monkeypatch, of_shares
):
    times, start = np.linspace(0, 20, 129), np.random.default_rng(0).uniform(0.01, 0.3, (60, 3))
    values = np.sqrt(logistic(start.ravel(), times)).reshape(60, 1, 3, 129)
    taken = []

    def counted(singular, of_shares):
        taken.append(singular.size)
        return root_sizes(singular, of_shares)

    def not_again(*_):
        return times[:2], values[..., :2]

    whole = arrival_times(times, values, not_again, 1e-9, of_shares)
    monkeypatch.setattr(arrivals, "BLOCK", 1000)  # some eight modes
    monkeypatch.setattr(arrivals, "root_sizes", counted)
    np.testing.assert_array_equal(arrival_times(times, values, not_again, 1e-9, of_shares), whole)
    assert len(taken) > 20
    assert sum(taken) < 2 * values.size  # a trajectory may lie in two blocks
