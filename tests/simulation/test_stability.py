"""Claims about the stability of expected steps."""

import numpy as np
import pytest

import eigendyn
from eigendyn.simulation.stability import stable_learning_rate


def test_the_euclidean_fixed_point_is_stable_up_to_learning_rate_one():
    """ds/dt = s³ − s⁵ has slope −2 at s = 1."""
    field, states, parameters = eigendyn.vector_field("euclidean", [1.0, 1.0], sigma2=0.0)
    limit = stable_learning_rate(field, states[None], parameters)
    assert limit == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_steps_return_to_equal_variances_below_the_limit_only(factor):
    v = np.full(4, 0.8)
    field, states, parameters = eigendyn.vector_field("cosine", v, sigma2=0.0)
    limit = stable_learning_rate(field, states[None], parameters)
    start = v * (1 + 1e-4 * np.array([1, -1, 1, -1]))
    run = eigendyn.simulate(
        "cosine", start, method="steps", learning_rate=factor * limit, steps=100, sigma2=0.0
    )
    spread = run.variance.std("mode")
    assert (spread[-1] < spread[0]) == (factor < 1)


def test_nothing_that_shrinks_sets_no_limit():
    field, states, parameters = eigendyn.vector_field("euclidean", [0.1], sigma2=0.0)
    assert stable_learning_rate(field, states[None], parameters) == np.inf
