"""Claims of the theory, on the whole chain from the loss to the result."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from structures import first_of

import eigendyn

START = np.array([0.2, 0.5, 0.9, 1.4])


def relaxation_rate(loss, modes, closure="exact", alpha=1.0):
    """Slowest rate at which equal variances are restored, without noise."""
    v = 0.8
    field, states, parameters = eigendyn.vector_field(
        loss, np.full(modes, v), sigma2=0.0, closure=closure, alpha=alpha
    )
    slopes = jax.jit(jax.jacfwd(lambda s: field(0.0, s, parameters)[0]))
    jacobian = slopes(jnp.asarray(states))[:, 0]
    eigenvalues = np.sort(np.linalg.eigvals(np.asarray(jacobian)).real)
    return -eigenvalues[0], v


@pytest.mark.parametrize("modes", first_of(2, 12, 5))
@pytest.mark.parametrize("alpha", first_of(0.5, 1.0))
def test_cosine_relaxes_to_equal_variances_at_the_exact_rate(modes, alpha):
    rate, v = relaxation_rate("cosine", modes, alpha=alpha)
    assert rate == pytest.approx(2 * alpha / ((modes + 2) * v), rel=1e-8)
    mean_field, v = relaxation_rate("cosine", modes, "mean-field", alpha)
    assert mean_field == pytest.approx(2 * alpha / (modes * v), rel=1e-8)


@pytest.mark.parametrize("sigma1", [0.0, 0.6])
def test_euclidean_losses_end_at_the_same_point_whatever_the_start(sigma1):
    for loss in ("euclidean", "iso-euclidean"):
        run = eigendyn.simulate(loss, START, sigma1=sigma1, steps=4000)
        np.testing.assert_allclose(run.variance[:, -1], 1 / (1 + sigma1**2), rtol=1e-9)


def test_cosine_ends_at_the_mean_and_iso_cosine_at_the_root_mean_square():
    cosine = eigendyn.simulate("cosine", START, steps=6000)
    np.testing.assert_allclose(cosine.variance[:, -1], START.mean(), rtol=1e-9)
    iso = eigendyn.simulate("iso-cosine", START, steps=6000)
    np.testing.assert_allclose(iso.variance[:, -1], np.sqrt((START**2).mean()), rtol=1e-9)


@pytest.mark.parametrize("variant", first_of({}, {"predictor": "none"}, {"stop_gradient": False}))
def test_cosine_depends_on_the_noises_through_the_product_of_1_plus_their_variances(variant):
    """The loss does not see the length of a view, only the correlation of both."""
    noises = [(0.0, 0.5), (0.5, 0.0), (np.sqrt(np.sqrt(1.25) - 1),) * 2]
    ends = [
        eigendyn.simulate("cosine", START, sigma1=a, sigma2=b, steps=200, **variant).variance[:, -1]
        for a, b in noises
    ]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], rtol=1e-8)


@pytest.mark.parametrize("equal", [3, *first_of(9, 5)])
def test_a_vanishing_mode_is_recruited_at_the_derived_rate(equal):
    small, v = 1e-5, 0.8
    field, states, parameters = eigendyn.vector_field(
        "cosine", [small, *[v] * equal], sigma2=0.0, closure_accuracy=1e-10
    )
    growth = 2 * jax.jit(field)(0.0, jnp.asarray(states), parameters)[0, 0] / states[0, 0]
    assert growth == pytest.approx(2 * small / ((equal - 2) * v * v), rel=5e-3)


def test_weight_decay_takes_the_modes_below_the_saddle_of_the_euclidean_loss():
    decay = 0.1
    saddle = (1 - np.sqrt(1 - 4 * decay)) / 2
    start = saddle * np.array([0.98, 1.02])
    plain = eigendyn.simulate("euclidean", start, weight_decay=decay, steps=2000)
    assert list(plain.outcome.values) == ["collapsed", "recruited"]
    iso = eigendyn.simulate("iso-euclidean", start, weight_decay=decay, steps=2000)
    assert list(iso.outcome.values) == ["recruited", "recruited"]


def test_without_stop_gradient_the_ghost_delays_the_collapse():
    sigma2 = 0.02
    run = eigendyn.simulate(
        "euclidean", [1.5], stop_gradient=False, sigma2=sigma2, steps=2000, saves=2001
    )
    passing = np.interp(-0.5, -run.variance[0].values, run.time.values)
    exact, _ = scipy.integrate.quad(
        lambda v: 1 / (2 * v * ((1 - v) ** 2 + sigma2**2)), 0.5, 1.5, points=[1.0]
    )
    assert passing == pytest.approx(exact, rel=1e-4)
    assert passing == pytest.approx(np.pi / (2 * sigma2), rel=0.05)


@pytest.mark.full
def test_cosine_without_stop_gradient_collapses_in_dimension():
    settings = {"stop_gradient": False, "steps": 3000, "closure_accuracy": 1e-5}
    run = eigendyn.simulate("cosine", START, **settings)
    v = run.variance[:, -1].values
    assert v.sum() == pytest.approx(START.sum(), rel=1e-9)
    assert START.sum() ** 2 / (START**2).sum() > 2.7  # participation ratio: modes that count
    assert v.sum() ** 2 / (v**2).sum() < 2.01
