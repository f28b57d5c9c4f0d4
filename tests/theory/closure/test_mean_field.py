"""Claims about the mean-field closure."""

import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from independent import cosine_moments

from eigendyn.program.in_jax import compile_field
from eigendyn.theory.closure import close
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, named_loss
from eigendyn.theory.symbols import lam, mode_sum, stop_gradient, z1, z2


def mean_field_moments(name, v, var1, var2):
    field = compile_field(close(mode_dynamics(named_loss(name)), "mean-field"))
    parameters = {"sigma1": var1**0.5, "sigma2": var2**0.5, "weight_decay": 0.0}
    states = jnp.sqrt(jnp.asarray(v))[None]
    return np.asarray(field(0.0, states, parameters)[0] * states[0])


def test_cosine_moments_equal_the_hand_form():
    v = np.array([0.05, 0.3, 1.0, 2.0])
    lam, c11, c12, c22 = v, 1.3 * v, v, 1.5 * v
    s11, s12, s22 = (lam**2 * c11).sum(), (lam * c12).sum(), c22.sum()
    hand = lam * (c12 * s11 - lam * c11 * s12) / (s11**1.5 * s22**0.5)
    np.testing.assert_allclose(mean_field_moments("cosine", v, 0.3, 0.5), hand, rtol=1e-13)


def test_it_is_exact_for_the_euclidean_loss():
    v = np.array([0.05, 0.3, 1.0, 2.0])
    hand = v * v - v**2 * 1.3 * v
    np.testing.assert_allclose(mean_field_moments("euclidean", v, 0.3, 0.5), hand, rtol=1e-13)


def test_powers_of_sums_of_eigenvalues_are_constants():
    total = mode_sum(lam)
    error = z1 - stop_gradient(z1 + z2 / sp.sqrt(total) - z1 / total)
    loss = SymbolicLoss("scaled", mode_sum(error**2) / 2)
    field = compile_field(close(mode_dynamics(loss), "mean-field"))
    v = np.array([0.05, 0.3, 1.0, 2.0])
    parameters = {"sigma1": 0.3**0.5, "sigma2": 0.5**0.5, "weight_decay": 0.0}
    rates = field(0.0, jnp.sqrt(jnp.asarray(v))[None], parameters)[0]
    hand = np.sqrt(v) * (v.sum() ** -0.5 - 1.3 / v.sum())
    np.testing.assert_allclose(rates, hand, rtol=1e-13)


@pytest.mark.parametrize(("modes", "smallest", "largest"), [(4, 0.3, 3.0), (40, 0.02, 0.15)])
def test_its_error_falls_with_the_number_of_modes(modes, smallest, largest):
    v = np.linspace(0.5, 1.5, modes)
    exact = cosine_moments(v, v, 0.0, 0.01)[0]
    error = np.abs(mean_field_moments("cosine", v, 0.0, 0.01) - exact).max() / np.abs(exact).max()
    assert smallest < error < largest
