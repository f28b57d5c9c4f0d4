"""Claims about intervals: they end where the profile says, in curved valleys and at bounds."""

from dataclasses import dataclass

import numpy as np
import pytest

from eigendyn.fitting.intervals import intervals
from eigendyn.fitting.likelihood import Likelihood
from eigendyn.fitting.numbers import ALPHA, DECAY, TIME_SCALE
from eigendyn.fitting.optimum import optimum
from eigendyn.fitting.told import alone

FREE = np.isin(np.arange(9), [TIME_SCALE, DECAY, ALPHA])
PLACE = np.array([0.0, 1.5, 1.0, 0.02, 0.0, -5.0, -5.0, -1.0, -1.0])


@dataclass(frozen=True)
class Valley(Likelihood):
    """ln A and ω are read with errors of 1 and 0.1, ln α − (ln A)² with one of 0.02."""

    def errors(self, places):
        a, decay, alpha = places[:, [TIME_SCALE, DECAY, ALPHA]].T
        read = np.stack([a, (decay - 0.02) / 0.1, (alpha - a**2) / 0.02], axis=1)
        return read, np.ones_like(read), np.ones((len(read), 1))


@dataclass(frozen=True)
class Wells(Valley):
    """(ln A)² − 1 is read, and less exactly ln A − 1: wells at ln A = −1 and, deeper, 1."""

    def errors(self, places):
        a = places[:, TIME_SCALE]
        read = np.stack([1.2 * (a**2 - 1), (a - 1) / 2], axis=1)
        return read, np.ones_like(read), np.ones((len(read), 1))


def test_an_interval_that_leads_past_a_deeper_well_tells_where():
    free = np.arange(9) == TIME_SCALE
    wells = Wells(None, None, None, np.nan, *np.outer([-10.0, 10.0], np.ones(9)))  # pyright: ignore[reportArgumentType]
    best = optimum(wells, np.where(free, -1.0, PLACE)[None], free)
    assert best.place[TIME_SCALE] < -0.5
    _, likelier = intervals(wells, best, [alone(TIME_SCALE)], free)
    assert likelier is not None and likelier[TIME_SCALE] > 0
    assert optimum(wells, likelier[None], free).place[TIME_SCALE] == pytest.approx(1, rel=1e-3)


def test_ends_are_those_of_the_profile_along_a_curved_valley_and_at_a_bound():
    low, high = np.full(9, -10.0), np.full(9, 10.0)
    low[DECAY] = 0.0
    valley = Valley(None, None, None, np.nan, low, high)  # pyright: ignore[reportArgumentType]
    best = optimum(valley, PLACE[None], FREE)
    found, likelier = intervals(valley, best, [alone(TIME_SCALE), alone(DECAY)], FREE)
    assert likelier is None
    z = 1.959964
    assert np.log(found[0]) == pytest.approx([-z, z], rel=0.03)
    assert found[1] == pytest.approx([0, 0.02 + 0.1 * z], rel=0.03)
