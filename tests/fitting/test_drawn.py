"""Claims about numbers that are drawn as they are likely."""

import numpy as np

from eigendyn.fitting.drawn import _root_of_inverse


def test_a_root_is_that_of_the_inverse_over_thirteen_decades():
    mixed = np.random.default_rng(0).normal(size=(5, 5))
    scale = np.geomspace(1e-4, 1e9, 5) ** 0.5
    precision = (mixed @ mixed.T + np.eye(5)) * np.outer(scale, scale)
    root = _root_of_inverse(precision)
    assert np.allclose(root, np.tril(root))
    whole = root @ root.T @ precision
    assert np.allclose(whole / np.outer(1 / scale, scale), np.eye(5), atol=1e-9)


def test_what_rounding_leaves_indefinite_has_a_root():
    one = np.array([1.0, -1.0, 1e8, 3.0])
    assert np.isfinite(_root_of_inverse(np.outer(one, one) + 1e-7 * np.eye(4))).all()
