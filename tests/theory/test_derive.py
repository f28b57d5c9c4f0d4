"""Claims about the descent directions and the open mode dynamics."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structures import first_of

from eigendyn.network.losses import sample_losses
from eigendyn.program.in_jax import compile_expressions
from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import descent_directions, mode_dynamics
from eigendyn.theory.losses import LOSSES, cosine, euclidean, named_loss
from eigendyn.theory.symbols import Expectation, ModeSum, lam, z1, z2

VARIANTS = list(itertools.product(LOSSES, (True, False), (True, False)))


def _random_sample(modes, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=modes), rng.normal(size=modes), rng.uniform(0.1, 2.0, size=modes)


def _gradients(name, a, b, eigenvalues, *, beta=None, stop_gradient=True):
    """Of one sample's loss, as the network side has it, by automatic differentiation."""
    family = None if beta is None else jnp.diag(eigenvalues**-beta)

    def loss(a, b):
        views = a[:, None], b[:, None]
        return sample_losses(name, *views, jnp.diag(eigenvalues), family, stop_gradient).sum()

    return jax.grad(loss, argnums=(0, 1))(jnp.asarray(a), jnp.asarray(b))


@pytest.mark.parametrize(("name", "predictor", "stop_gradient"), VARIANTS)
@pytest.mark.parametrize("modes", first_of(7, 1, 2))
def test_descent_directions_equal_automatic_differentiation(name, predictor, stop_gradient, modes):
    loss = named_loss(name, predictor=predictor, stop_gradient=stop_gradient)
    derived = compile_expressions([z1, z2, lam, sym.modes], list(descent_directions(loss)))
    for seed in range(5):
        sample = _random_sample(modes, seed)
        eigenvalues = sample[2] if predictor else np.ones(modes)
        gradients = _gradients(name, *sample[:2], eigenvalues, stop_gradient=stop_gradient)
        for ours, theirs in zip(derived(*sample, modes), gradients, strict=True):
            np.testing.assert_allclose(
                np.broadcast_to(ours, modes), -theirs, rtol=1e-12, atol=1e-12
            )


@pytest.mark.parametrize("name", ["euclidean", "cosine"])
@pytest.mark.parametrize("beta", [-1.0, 0.25, 0.5, 1.0])
def test_family_divides_the_descent_direction_by_a_power_of_the_eigenvalue(name, beta):
    loss = named_loss(name, beta=beta)
    derived = compile_expressions([z1, z2, lam, sym.modes], list(descent_directions(loss)))
    a, b, c = _random_sample(5, 3)
    gradient, _ = _gradients(name, a, b, c, beta=beta)
    np.testing.assert_allclose(derived(a, b, c, 5)[0], -gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_stopped_branch_receives_no_gradient(name):
    assert descent_directions(named_loss(name))[1] == 0


def test_isotropic_directions_are_the_plain_ones_over_the_eigenvalue():
    for plain, iso in (("euclidean", "iso-euclidean"), ("cosine", "iso-cosine")):
        quotient = descent_directions(named_loss(plain))[0] / lam
        assert sym.equal(quotient, descent_directions(named_loss(iso))[0])


def test_published_form_of_the_second_iso_cosine_term_has_the_same_gradient():
    stopped = sym.stop_gradient(ModeSum(lam * z1 * z2) / (sym.norm(lam * z1) ** 3 * sym.norm(z2)))
    first = -ModeSum(z1 * sym.stop_gradient(z2 / (sym.norm(lam * z1) * sym.norm(z2))))
    other_form = first + stopped * ModeSum(lam * z1**2) / 2
    direction = sym.release(-other_form.diff(z1))
    assert sym.equal(direction, descent_directions(named_loss("iso-cosine"))[0])


def test_sums_over_modes_stay_sums():
    direction = descent_directions(cosine())[0]
    assert direction.atoms(ModeSum)
    assert direction.count_ops() < 40


def test_every_direction_changes_sign_with_its_mode():
    for variant in VARIANTS:
        loss = named_loss(variant[0], predictor=variant[1], stop_gradient=variant[2])
        for direction in descent_directions(loss):
            local, _ = sym.detach(direction, ModeSum)
            assert sym.equal(local.xreplace({z1: -z1, z2: -z2}), -local)


def test_dynamics_have_open_moments_and_name_them_open():
    dynamics = mode_dynamics(euclidean())
    assert dynamics.closure == "open"
    assert dynamics.rates[0].has(Expectation)
