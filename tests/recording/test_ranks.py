"""Claims about numbers of dimensions: each is what its authors take of raw batches."""

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.decomposition import PCA

from eigendyn.recording.moments import Window
from eigendyn.recording.ranks import (
    participation_less_sampling,
    participation_ratio,
    power_law,
    scalars,
)

RNG = np.random.default_rng(1)
DIMS, SAMPLES = 40, 300
SIGNAL = RNG.normal(size=(SAMPLES, DIMS)) * np.arange(1, DIMS + 1) ** -0.6 + 0.4
VIEWS = [SIGNAL + 0.2 * RNG.normal(size=SIGNAL.shape) for _ in range(2)]


@pytest.fixture(scope="module")
def found():
    window = Window(*VIEWS)
    window.add(VIEWS[0][:100], VIEWS[1][:100])
    window.add(VIEWS[0][100:], VIEWS[1][100:])
    moments = window.moments()
    return scalars(moments, np.linalg.eigvalsh(moments.shared))


def entropy_rank(values):
    shares = values / values.sum()
    return np.exp(-np.sum(shares * np.log(shares)))


def test_rankme_is_that_of_singular_values_of_the_raw_batch(found):
    singular = np.linalg.svd(VIEWS[0], compute_uv=False)
    rank = found["rankme_of_uncentred_singular_values"]
    assert np.isclose(rank, entropy_rank(singular), rtol=1e-10)


def test_ranks_of_centred_eigenvalues_are_those_of_principal_components(found):
    explained = PCA().fit(VIEWS[0]).explained_variance_
    assert np.isclose(found["rankme_of_centred_eigenvalues"], entropy_rank(explained), rtol=1e-10)
    ratio = explained.sum() ** 2 / (explained**2).sum()
    assert np.isclose(found["participation_ratio_of_centred_eigenvalues"], ratio, rtol=1e-10)


def test_effective_rank_is_of_what_both_views_share(found):
    cross = np.cov(VIEWS[0].T, VIEWS[1].T)[:DIMS, DIMS:]
    shared = np.linalg.eigvals((cross + cross.T) / 2).real
    rank = found["effective_rank_of_shared_variance"]
    assert np.isclose(rank, entropy_rank(shared[shared > 0]), rtol=1e-10)


def test_lidar_is_that_of_classes_of_two_views(found):
    within = np.zeros((DIMS, DIMS))
    means = np.array([(one + other) / 2 for one, other in zip(*VIEWS, strict=True)])
    for mean, *pair in zip(means, *VIEWS, strict=True):
        within += sum(np.outer(view - mean, view - mean) for view in pair) / SAMPLES
    within += 1e-4 * np.eye(DIMS)
    values = eigh(np.cov(means.T), within, eigvals_only=True)
    assert np.isclose(found["lidar_of_two_views"], entropy_rank(values), rtol=1e-8)


def test_alpha_is_the_slope_of_a_weighted_line(found):
    explained = PCA().fit(VIEWS[0]).explained_variance_
    ranks = np.arange(11, DIMS + 1)
    weights = np.sqrt(1 / ranks)
    columns = np.stack([-np.log(ranks), np.ones(len(ranks))], axis=1) * weights[:, None]
    slope = np.linalg.lstsq(columns, np.log(explained[10:]) * weights, rcond=None)[0][0]
    assert np.isclose(found["alpha_req_of_centred_eigenvalues"], slope, rtol=1e-9)


@pytest.mark.parametrize("dims", [5, 29, 30, 300])
def test_a_power_law_is_recovered_from_few_dimensions_and_many(dims):
    assert np.isclose(power_law(3 * np.arange(1.0, dims + 1) ** -1.3), 1.3, rtol=1e-10)


def test_sampling_puts_a_floor_under_the_inverse_ratio_that_can_be_taken_away():
    """With 30 samples of 50 equal dimensions 1/50 becomes 1/50 + 1/29, in the mean of many."""
    plain, corrected = [], []
    for _ in range(100):
        values = np.linalg.eigvalsh(np.cov(RNG.normal(size=(50, 30))))
        plain.append(1 / participation_ratio(values))
        corrected.append(1 / participation_less_sampling(values, 30))
    assert np.isclose(np.mean(plain), 1 / 50 + 1 / 29, rtol=0.03)
    assert np.isclose(np.mean(corrected), 1 / 50, rtol=0.03)


def test_the_correction_holds_for_unequal_dimensions():
    scales = np.arange(1, 51) ** -0.5
    truth = (scales**2).sum() ** 2 / (scales**4).sum()
    inverse = [
        1 / participation_less_sampling(np.linalg.eigvalsh(np.cov(z.T)), 80)
        for z in RNG.normal(size=(200, 80, 50)) * scales
    ]
    error = np.std(inverse) / len(inverse) ** 0.5
    assert abs(np.mean(inverse) - 1 / truth) < 3 * error + 0.02 / truth


def test_of_nothing_no_rank_is_undefined():
    zero = np.zeros(4)
    assert participation_ratio(zero) == participation_less_sampling(zero, 10) == 0
    window = Window(np.ones((9, 4)), np.ones((9, 4)))
    window.add(np.ones((9, 4)), np.ones((9, 4)))
    found = scalars(window.moments(), zero)
    assert found["rankme_of_uncentred_singular_values"] == pytest.approx(1)
    assert found["rankme_of_centred_eigenvalues"] == 0
    assert found["effective_rank_of_shared_variance"] == 0
    assert found["lidar_of_two_views"] == 0


def test_views_that_grow_without_bound_have_ranks_until_the_end():
    """Of the same views nothing but rounding is left within a class, of any sign."""
    same = RNG.normal(size=(64, 8)) * [1e12, 1e12, 1e12, 1e6, 1e6, 1, 1, 0]
    window = Window(same, same)
    window.add(same, same)
    found = scalars(window.moments(), np.ones(8))
    assert 1 <= found["lidar_of_two_views"] <= 8
