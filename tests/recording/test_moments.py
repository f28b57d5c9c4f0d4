"""Claims about accumulated moments: those of all samples at once, however they come."""

import numpy as np
import pytest

from eigendyn.recording.moments import Window

RNG = np.random.default_rng(0)
MIXING = RNG.normal(size=(5, 5))


def views(count, mean=0.0, spread=1.0):
    x = RNG.normal(size=(count, 5)) @ MIXING
    noise = RNG.normal(size=(2, count, 5))
    return mean + spread * (x + 0.3 * noise[0]), 2 * mean + spread * (x + 0.5 * noise[1])


def accumulated(pairs, turns=True):
    window = Window(*pairs[0], turns)
    for pair in pairs:
        window.add(*pair)
    return window.moments()


def covariance(z1, z2):
    """The unbiased one of both views together, in extended precision."""
    wide = np.concatenate([z1, z2], axis=1).astype(np.longdouble)
    wide -= wide.mean(axis=0)
    return np.asarray(wide.T @ wide / (len(wide) - 1), np.float64)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (1e6, 1.0), (3.0, 1e-6), (-1e3, 1e3)])
def test_batches_of_any_size_give_the_covariance_of_all_samples(mean, spread):
    pairs = [views(count, mean, spread) for count in (1, 7, 64, 20)]
    z1, z2 = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    found, whole = accumulated(pairs), covariance(z1, z2)
    largest = np.abs(whole).max()
    shared = whole[:5, 5:]
    for ours, theirs in (
        (found.first, whole[:5, :5]),
        (found.second, whole[5:, 5:]),
        (found.shared, (shared + shared.T) / 2),
        (found.turning, (shared - shared.T) / 2),
    ):
        assert np.abs(ours - theirs).max() < 1e-12 * largest  # as if the mean were none
    assert np.allclose(found.mean1, z1.mean(axis=0), rtol=1e-12, atol=1e-12 * spread)
    assert found.samples == len(z1) == len(found.some1)
    assert accumulated(pairs, turns=False).turning is None


def test_a_mean_that_drifts_through_the_window_loses_no_digits():
    pairs = [views(50, mean=1e4 + step, spread=1e-3) for step in range(4)]
    z1, z2 = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    whole = covariance(z1, z2)
    assert np.abs(accumulated(pairs).first - whole[:5, :5]).max() < 1e-12 * np.abs(whole).max()


def test_a_constant_has_no_variance_at_all():
    constant = np.full((30, 5), 0.1)
    found = accumulated([(constant, 3 * constant)] * 3)
    assert not found.first.any()
    assert not found.shared.any()
    assert found.deviation < 1e-7
    assert np.allclose(found.mean2, 0.3)


def test_the_deviation_of_normalised_views_is_that_of_all_samples():
    pairs = [views(count, mean=0.5) for count in (30, 50)]
    z1 = np.concatenate([first for first, _ in pairs])
    unit = z1 / np.linalg.norm(z1, axis=1, keepdims=True)
    expected = unit.std(axis=0).mean() * 5**0.5
    assert np.isclose(accumulated(pairs).deviation, expected, rtol=1e-12)
    white = RNG.normal(size=(20_000, 5))
    assert np.isclose(accumulated([(white, white)]).deviation, 1, atol=0.01)
