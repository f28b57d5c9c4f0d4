"""Claims about the steps of one integration: explicit ones first, then those of LSODA."""

import numpy as np
from scipy.integrate import DOP853, LSODA

from eigendyn.simulation.engines.implicit.solver import steps

TIMES = np.array([0.0, 0.3, 1.0, 5.0])


def followed(explicit):
    """Solvers' kinds, and times and states after each step of dx/dt = −x."""

    def rates(_, x):
        return -x

    options = {"rtol": 1e-12, "atol": np.full(2, 1e-30), "explicit": explicit}
    found = steps(rates, lambda *_: -np.eye(2), TIMES, np.array([1.0, 1e-9]), **options)
    kinds, times, states = zip(*((type(s), s.t, s.y.copy()) for s in found), strict=True)
    return kinds, np.array(times), np.array(states)


def test_explicit_steps_are_taken_first_and_as_many_as_asked_for():
    for explicit in (0, 3):
        kinds, times, states = followed(explicit)
        assert kinds == (DOP853,) * explicit + (LSODA,) * (len(kinds) - explicit)
        assert times[-1] == TIMES[-1]
        np.testing.assert_allclose(states[:, 0], np.exp(-times), rtol=1e-9)
        np.testing.assert_allclose(states[:, 1], 1e-9 * np.exp(-times), rtol=1e-9)


def test_explicit_steps_end_at_every_saved_time():
    kinds, times, _ = followed(1000)
    assert set(kinds) == {DOP853}
    assert np.isin(TIMES[1:], times).all()
    assert times[-1] == TIMES[-1]
