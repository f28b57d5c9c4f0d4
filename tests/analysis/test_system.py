"""Claims about dynamical systems: what compiled code of them depends on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from eigendyn.analysis.bifurcations import family
from eigendyn.analysis.fixed_points import newton
from eigendyn.analysis.system import dynamical_system
from eigendyn.theory.loss_text import parse_loss

SQUARE = np.zeros(2), np.ones(2)


def euclidean(number):
    return dynamical_system("euclidean", sigma1=number, weight_decay=number, learning_rate=number)


def conserving(number):
    return dynamical_system("euclidean", 1, predictor="learned", predictor_rate=number)


def written(number):
    return dynamical_system(parse_loss("sum((lam*z1 - gamma*sg(z2))**2)", {"gamma": number}))


@pytest.mark.parametrize("made", [euclidean, conserving, written])
def test_systems_that_differ_in_numbers_share_compiled_code(made):
    compiled = [newton._settle, newton._evaluate, newton._changes, family._linearise]
    sizes, rates = [], []
    for number in (0.1, 0.3):
        system = made(number)
        newton.settle(system, [[0.5, 1.0]], {"weight_decay": number}, scale=1.0, usual=1.0)
        newton.settle(system, [[0.5, 1.0]], {}, scale=1.0, usual=1.0)
        member = family.family(system, "sigma1", (0, 1), SQUARE, {})
        rates.append(member.linearise([0.5, 1.0], 0.2)[0])
        sizes.append([one._cache_size() for one in compiled])
    assert sizes[0] == sizes[1]
    assert np.abs(rates[1] - rates[0]).max() > 1e-3


def test_a_system_is_an_argument_of_compiled_code():
    system, x = euclidean(0.1), jnp.array([0.5, 1.0])
    expected = system(x, sigma1=0.2)
    found = jax.jit(lambda rates, x: rates(x, sigma1=0.2))(system, x)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
